import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../db/open.ts";
import { closeDatabase } from "../db/prepared.ts";
import type { RuntimeCapabilities } from "../runtimes/runtime.ts";
import { type CatalogSnapshot, createCatalog } from "./catalog.ts";

/** Everything a resolution depends on besides what is asked for. */
export interface ResolverContext extends CatalogSnapshot {
  registryUrl: string;
  registryOwner: string;
  imageVersion: string;
  /** Domain under which every project gets its host names; null without one. */
  wildcardDomain: string | null;
  /** Absent while no runtime is known. */
  capabilities?: Pick<RuntimeCapabilities, "gpu">;
}

let made: ResolverContext | undefined;

/** The seeded catalog and a local registry, for callers without a running API. Made on first use. */
export function defaultContext(): ResolverContext {
  made ??= makeContext();
  return made;
}

function makeContext(): ResolverContext {
  const db = openDatabase(":memory:", { migrate: true });
  try {
    const catalog = createCatalog(db).snapshot();
    const images = { registryUrl: "localhost", registryOwner: "agentpod", imageVersion: releasedVersion() };
    return { ...catalog, ...images, wildcardDomain: null };
  } finally {
    closeDatabase(db);
  }
}

function releasedVersion(): string {
  try {
    return readFileSync(join(import.meta.dir, "../../../../docker/VERSION"), "utf8").trim();
  } catch {
    // Run from somewhere without the images' sources.
    return "latest";
  }
}

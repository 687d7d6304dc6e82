import type { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "@agentpod/api/src/db/open.ts";
import { closeDatabase } from "@agentpod/api/src/db/prepared.ts";
import { allocatePorts } from "@agentpod/api/src/models/port-allocation.ts";
import { insertProject, type NewProject } from "@agentpod/api/src/models/project.ts";

export interface DataFolder extends Disposable {
  path: string;
}

/** A data folder of the API's, filled by `fill` in one transaction. Disposing removes it. */
export function createDataFolder(fill?: (db: Database) => void): DataFolder {
  const path = mkdtempSync(join(tmpdir(), "agentpod-bench-data-"));
  if (fill) {
    const db = openDatabase(join(path, "agentpod.db"), { migrate: true });
    db.transaction(() => fill(db)).immediate();
    closeDatabase(db);
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Adds projects a second apart, all at rest so that the API starts nothing: two of three are stopped, one failed. */
export function addProjects(db: Database, count: number): void {
  const firstAt = Date.UTC(2026, 0, 1);
  for (let index = 0; index < count; index += 1) {
    const failed = index % 3 === 0;
    insertProject(db, {
      ...restingProject(`project-${String(index).padStart(6, "0")}`),
      createdAt: new Date(firstAt + index * 1000).toISOString(),
      status: failed ? "error" : "stopped",
      statusReason: failed ? { code: "not_healthy", message: "the gateway did not answer within 60000 ms" } : null,
    });
  }
}

/** Adds a project with all that a stopped one has, its ports included. */
export function addProject(db: Database, id: string): void {
  insertProject(db, { ...restingProject("notes-app"), id });
  allocatePorts(db, id, [
    { port: 20_001, name: "opencode", containerPort: 4096 },
    { port: 20_002, name: "gateway", containerPort: 4097 },
    { port: 20_003, name: "code-server", containerPort: 8080 },
  ]);
}

function restingProject(slug: string): NewProject {
  return {
    slug,
    name: slug.replaceAll("-", " "),
    description: "Notes with full text search",
    sourceUrl: `https://git.example.com/team/${slug}.git`,
    status: "stopped",
    desiredState: "stopped",
    // Not the one the benchmarks serve, so that a start of the API looks at none of them.
    runtime: "docker",
    generation: 1,
    resourceTierId: "starter",
    flavorId: "js",
    addonIds: ["code-server"],
    imageRef: "localhost/agentpod/agentpod-js-code-server:0.1.0",
    fqdnUrl: "http://127.0.0.1:20001",
    gatewayUrl: "http://127.0.0.1:20002",
    codeServerUrl: "http://127.0.0.1:20003",
  };
}

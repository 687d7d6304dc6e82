import type { Database } from "bun:sqlite";
import { type App, createApp } from "../../src/app.ts";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import type { GuardOptions } from "../../src/http/guard.ts";
import { createLogger } from "../../src/http/logger.ts";
import type { ImageInspector } from "../../src/services/image-availability.ts";
import { createProjectServices } from "../../src/services/project-services.ts";
import { createSecretBox } from "../../src/services/secret-box.ts";
import { createStandInRuntime, type StandInRuntime } from "./stand-in-runtime.ts";

export interface TestAppOptions {
  auth?: GuardOptions;
  wildcardDomain?: string | null;
  sunsetAt?: Date;
  now?: () => Date;
  inspector?: ImageInspector;
  capabilities?: Partial<StandInRuntime["capabilities"]>;
}

/** JSON that a test looks into freely; undefined when there was none. */
type Json = ReturnType<typeof JSON.parse>;

export interface TestApp {
  app: App;
  db: Database;
  runtime: StandInRuntime;
  /** The lines the app logged, parsed. */
  logged: Record<string, unknown>[];
  /** A call with an optional JSON body; the answer's JSON is undefined when it has none. */
  call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; headers: Headers; body: Json }>;
  close: () => Promise<void>;
}

/** A whole API on a database of its own in memory, with a runtime that runs nothing. */
export function createTestApp(options: TestAppOptions = {}): TestApp {
  const db = openDatabase(":memory:", { migrate: true });
  const runtime = createStandInRuntime(options.capabilities);
  const logged: Record<string, unknown>[] = [];
  const logger = createLogger("info", {
    write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>),
  });
  const secretBox = createSecretBox(crypto.getRandomValues(new Uint8Array(32)));
  const sunsetAt = options.sunsetAt ?? new Date("2099-01-01T00:00:00Z");
  const now = options.now ?? (() => new Date());

  const shared = { db, runtime, logger, sunsetAt, now };
  const services = createProjectServices({
    ...shared,
    secretBox,
    naming: {
      registryUrl: "registry.test",
      registryOwner: "acme",
      imageVersion: "1.2.3",
      wildcardDomain: options.wildcardDomain ?? null,
    },
    portRange: { from: 32_768, to: 60_000 },
    concurrency: 4,
    retry: { attemptsMax: 1, firstDelayMs: 1, delayMsMax: 1 },
  });
  const { runner } = services;
  const app = createApp({ ...shared, ...services, inspector: options.inspector, auth: options.auth ?? {} });

  return {
    app,
    db,
    runtime,
    logged,
    async call(method, path, body, headers = {}) {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const type = body === undefined ? {} : { "content-type": "application/json" };
      const response = await app.request(path, { method, ...json, headers: { ...type, ...headers } });
      const text = await response.text();
      const parsed: Json = text === "" ? undefined : JSON.parse(text);
      return { status: response.status, headers: response.headers, body: parsed };
    },
    async close() {
      await runner.close();
      closeDatabase(db);
    },
  };
}

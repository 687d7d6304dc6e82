import type { Database } from "bun:sqlite";
import { type App, createApp } from "../../src/app.ts";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import type { GuardOptions } from "../../src/http/guard.ts";
import { createLogger, type LogLevel } from "../../src/http/logger.ts";
import type { ImageInspector } from "../../src/services/image-availability.ts";
import type { ImageSizes } from "../../src/services/image-sizes.ts";
import type { RelayPace } from "../../src/proxy/relay.ts";
import { createLegacyUsage, type LegacyUsageDeps } from "../../src/services/legacy-usage.ts";
import { createMetrics, type Metrics } from "../../src/services/metrics/metrics.ts";
import { createProjectServices } from "../../src/services/project-services.ts";
import { createReconciler } from "../../src/services/reconciler.ts";
import { createSecretBox } from "../../src/services/secret-box.ts";
import { createStandInRuntime, type StandInRuntime } from "./stand-in-runtime.ts";

export interface TestAppOptions {
  legacyUsage?: Pick<LegacyUsageDeps, "flushMs" | "clientsMax">;
  logLevel?: LogLevel;
  auth?: GuardOptions;
  agentPace?: Partial<RelayPace>;
  wildcardDomain?: string | null;
  sunsetAt?: Date;
  now?: () => Date;
  inspector?: ImageInspector;
  registryAnswers?: () => Promise<boolean>;
  capabilities?: Partial<StandInRuntime["capabilities"]>;
  imageSizes?: ImageSizes;
  /** Otherwise in memory. */
  databasePath?: string;
  /** Takes the log's lines, which are kept otherwise. */
  write?: (line: string) => void;
}

/** JSON that a test looks into freely; undefined when there was none. */
type Json = ReturnType<typeof JSON.parse>;

export interface TestApp {
  app: App;
  db: Database;
  runtime: StandInRuntime;
  metrics: Metrics;
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

/** A whole API on a database of its own, with a runtime that runs nothing. */
export function createTestApp(options: TestAppOptions = {}): TestApp {
  const db = openDatabase(options.databasePath ?? ":memory:", { migrate: true });
  const runtime = createStandInRuntime(options.capabilities);
  const logged: Record<string, unknown>[] = [];
  const logger = createLogger(options.logLevel ?? "info", {
    write: options.write ?? ((line) => void logged.push(JSON.parse(line) as Record<string, unknown>)),
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
    imageSizes: options.imageSizes,
    portRange: { from: 32_768, to: 60_000 },
    concurrency: 4,
    retry: { attemptsMax: 1, firstDelayMs: 1, delayMsMax: 1 },
  });
  const { runner } = services;
  const reconciler = createReconciler({
    ...shared,
    ...services,
    intervalMs: 60_000,
    retry: { firstDelayMs: 1, delayMsMax: 1 },
  });
  const metrics = createMetrics({ db, logger, version: "1.2.3", runtime: runtime.name });
  const legacyUsage = createLegacyUsage({ ...shared, ...options.legacyUsage });
  const app = createApp({
    ...shared,
    ...services,
    reconciler,
    metrics,
    legacyUsage,
    inspector: options.inspector,
    registryAnswers: options.registryAnswers,
    auth: options.auth ?? {},
    agentPace: options.agentPace ?? {},
  });

  return {
    app,
    db,
    runtime,
    logged,
    metrics,
    async call(method, path, body, headers = {}) {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const type = body === undefined ? {} : { "content-type": "application/json" };
      const response = await app.request(path, { method, ...json, headers: { ...type, ...headers } });
      const text = await response.text();
      const parsed: Json = text === "" ? undefined : JSON.parse(text);
      return { status: response.status, headers: response.headers, body: parsed };
    },
    async close() {
      await reconciler.close();
      await runner.close();
      legacyUsage.close();
      metrics.close();
      closeDatabase(db);
    },
  };
}

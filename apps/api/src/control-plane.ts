import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { createApp } from "./app.ts";
import type { Config, Environment } from "./config.ts";
import { acquireDatabaseLock } from "./db/lock.ts";
import { migrate } from "./db/migrate.ts";
import { openDatabase } from "./db/open.ts";
import { closeDatabase } from "./db/prepared.ts";
import type { Logger } from "./http/logger.ts";
import type { Server, SocketData } from "./http/sockets.ts";
import { applicationRecords } from "./models/application-record.ts";
import { createRuntimeChoices } from "./runtimes/choices.ts";
import { selectRuntime } from "./runtimes/select.ts";
import { readImageSizes } from "./services/image-sizes.ts";
import type { OperationRunnerDeps } from "./services/operation-runner.ts";
import { loadInstanceId } from "./services/instance-id.ts";
import { createLegacyUsage } from "./services/legacy-usage.ts";
import { createMetrics } from "./services/metrics/metrics.ts";
import { observeRuntime } from "./services/observe-runtime.ts";
import { openSecretBox } from "./services/open-secret-box.ts";
import type { RetryPolicy } from "./services/backoff.ts";
import { createProjectServices } from "./services/project-services.ts";
import { createReconciler } from "./services/reconciler.ts";
import { noteSandboxEnvironment } from "./services/sandbox-environment.ts";
import { keyFile } from "./services/secret-key.ts";

export interface ControlPlaneOptions {
  config: Config;
  env: Environment;
  repoRoot: string;
  logger: Logger;
  gatewayCommand?: readonly string[];
  beforeStep?: OperationRunnerDeps["beforeStep"];
  pace?: Partial<Pace>;
}

/** How long things are given and how soon they are tried again. */
export interface Pace {
  /** Of an operation's steps, while it is at work. */
  retry: RetryPolicy;
  /** Of projects whose last operation failed for a passing reason. */
  retryFailed: Pick<RetryPolicy, "firstDelayMs" | "delayMsMax">;
  /** Between two questions to Coolify about what is going on; its rate limit is 200 a minute. */
  pollMs: number;
  /** For Coolify to deploy a sandbox, the wait in its queue included. */
  deployTimeoutMs: number;
  /** For Coolify to show a deployed sandbox as healthy. */
  healthTimeoutMs: number;
  /** For what is at work when the API is told to end; the rest is parked. */
  shutdownGraceMs: number;
}

const usualPace: Pace = {
  retry: { attemptsMax: 10, firstDelayMs: 500, delayMsMax: 15_000 },
  retryFailed: { firstDelayMs: 15_000, delayMsMax: 600_000 },
  pollMs: 2_500,
  deployTimeoutMs: 1_800_000,
  healthTimeoutMs: 180_000,
  shutdownGraceMs: 5_000,
};

export interface ControlPlane {
  url: string;
  runtime: string;
  close: () => Promise<void>;
}

/** As long as requests may take to be answered when the API is told to end. */
const ANSWER_GRACE_MS = 1_000;

/** The machine does not let the API start; the message is one line and says what would help. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/**
 * Builds the world and serves it: database, runtime, routes. Resolves once requests are answered.
 * @throws DatabaseError, RuntimeError or the listener's error, with nothing left open
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, env, repoRoot, logger } = options;
  const pace = { ...usualPace, ...options.pace };
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    makeDataDir(config.dataDir);
    const lock = acquireDatabaseLock(config.databasePath);
    closers.push(() => lock.release());
    const db = openDatabase(config.databasePath);
    closers.push(() => closeDatabase(db));
    const migrated = migrate(db);
    if (migrated.applied.length > 0) logger.info(migrated, "database migrated");

    const instanceId = loadInstanceId(db, join(config.dataDir, "instance-id"));
    const secretBox = openSecretBox({
      db,
      configured: config.encryptionKey,
      configuredNext: config.encryptionKeyNew,
      file: keyFile(config.dataDir),
      logger,
    });
    if (noteSandboxEnvironment(db, config.sandboxEnv)) {
      const variables = Object.keys(config.sandboxEnv);
      logger.info({ variables }, "sandboxes get other variables than before, each at its next start or restart");
    }
    const choices = createRuntimeChoices({
      config,
      env,
      repoRoot,
      instanceId,
      logger,
      pace,
      records: applicationRecords(db),
      ...(options.gatewayCommand ? { gatewayCommand: options.gatewayCommand } : {}),
    });
    const { runtime: selected, inspector, registryAnswers, note } = await selectRuntime(config, choices);
    closers.push(() => selected.close());
    if (note !== null) logger.warn({ runtime: selected.name }, note);
    const metrics = createMetrics({ db, logger, version: manifest.version, runtime: selected.name });
    closers.push(() => metrics.close());
    const runtime = observeRuntime(selected, metrics.operations);

    const shared = { db, runtime, logger, sunsetAt: config.containerTiersSunset, now: () => new Date() };
    const legacyUsage = createLegacyUsage(shared);
    closers.push(() => legacyUsage.close());
    const services = createProjectServices({
      ...shared,
      secretBox,
      sandboxEnv: config.sandboxEnv,
      naming: config,
      imageSizes: readImageSizes(config.imageManifestPath, logger),
      // Below what operating systems give to outgoing connections.
      portRange: { from: 20_000, to: 32_767 },
      concurrency: 8,
      retry: pace.retry,
      observer: metrics.operations,
      beforeStep: options.beforeStep,
    });
    const { runner } = services;
    closers.push(() => runner.close(pace.shutdownGraceMs));
    const reconciler = createReconciler({
      ...shared,
      ...services,
      intervalMs: config.reconcileSeconds * 1000,
      retry: pace.retryFailed,
    });
    closers.push(() => reconciler.close());
    const app = createApp({
      ...shared,
      ...services,
      reconciler,
      inspector,
      registryAnswers,
      metrics,
      legacyUsage,
      auth: { token: config.apiToken, allowedOrigins: config.allowedOrigins },
    });

    const server = listen({
      hostname: config.host,
      port: config.port,
      idleTimeout: 120,
      // The routes refuse long bodies without reading them, and say so; this only ends what no route reads.
      maxRequestBodySize: 1024 ** 3,
      fetch: app.fetch,
      websocket: app.websocket,
    });
    closers.push(async () => {
      runner.drain();
      const stopped = server.stop();
      app.close();
      await Promise.race([stopped, Bun.sleep(ANSWER_GRACE_MS)]);
      // What is still open are streams, whose readers go on where they were.
      await server.stop(true);
    });
    logger.info({ runtime: runtime.name, resumed: runner.resume() }, "operations resumed");
    reconciler.start();
    return { url: server.url.origin, runtime: runtime.name, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(
      `DATA_DIR ${dataDir} cannot be used (${codeOf(error)}); set it to a folder that can be written.`,
      { cause: error },
    );
  }
}

function listen(options: Bun.Serve.Options<SocketData>): Server {
  try {
    return Bun.serve(options);
  } catch (error) {
    const where = `${"hostname" in options ? options.hostname : ""}:${"port" in options ? options.port : ""}`;
    throw new StartError(
      `Cannot listen on ${where} (${codeOf(error)}). Stop what holds the port, or set another PORT or HOST.`,
      { cause: error },
    );
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

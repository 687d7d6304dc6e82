import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createApp } from "./app.ts";
import type { Config, Environment } from "./config.ts";
import { acquireDatabaseLock } from "./db/lock.ts";
import { migrate } from "./db/migrate.ts";
import { openDatabase } from "./db/open.ts";
import { closeDatabase } from "./db/prepared.ts";
import type { Logger } from "./http/logger.ts";
import { createRuntimeChoices } from "./runtimes/choices.ts";
import { selectRuntime } from "./runtimes/select.ts";
import type { OperationRunnerDeps } from "./services/operation-runner.ts";
import { loadInstanceId } from "./services/instance-id.ts";
import { openSecretBox } from "./services/open-secret-box.ts";
import { createProjectServices } from "./services/project-services.ts";
import { reconcile } from "./services/reconciler.ts";
import { keyFile } from "./services/secret-key.ts";

export interface ControlPlaneOptions {
  config: Config;
  env: Environment;
  repoRoot: string;
  logger: Logger;
  gatewayCommand?: readonly string[];
  beforeStep?: OperationRunnerDeps["beforeStep"];
}

export interface ControlPlane {
  url: string;
  runtime: string;
  close: () => Promise<void>;
}

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
    const choices = createRuntimeChoices({
      config,
      env,
      repoRoot,
      instanceId,
      logger,
      ...(options.gatewayCommand ? { gatewayCommand: options.gatewayCommand } : {}),
    });
    const { runtime, inspector, note } = await selectRuntime(config, choices);
    closers.push(() => runtime.close());
    if (note !== null) logger.warn({ runtime: runtime.name }, note);

    const shared = { db, runtime, logger, sunsetAt: config.containerTiersSunset, now: () => new Date() };
    const services = createProjectServices({
      ...shared,
      secretBox,
      naming: config,
      // Below what operating systems give to outgoing connections.
      portRange: { from: 20_000, to: 32_767 },
      concurrency: 8,
      retry: { attemptsMax: 6, firstDelayMs: 500, delayMsMax: 15_000 },
      beforeStep: options.beforeStep,
    });
    const { runner, projects } = services;
    closers.push(() => runner.close());
    const app = createApp({
      ...shared,
      ...services,
      inspector,
      auth: { token: config.apiToken, allowedOrigins: config.allowedOrigins },
    });

    const server = listen({
      hostname: config.host,
      port: config.port,
      idleTimeout: 120,
      // The routes refuse long bodies without reading them, and say so; this only ends what no route reads.
      maxRequestBodySize: 1024 ** 3,
      fetch: app.fetch,
    });
    closers.push(() => server.stop(true));
    await reconcile({ db, runtime, runner, projects, logger }).then(
      (outcome) => logger.info({ ...outcome, runtime: runtime.name }, "reconciled"),
      // The catalog and what is recorded are still worth serving; /ready says what is missing.
      (error: unknown) => logger.error({ err: error, runtime: runtime.name }, "reconciliation failed"),
    );
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

function listen(options: Parameters<typeof Bun.serve>[0]): Bun.Server<unknown> {
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

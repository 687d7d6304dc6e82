import { resolve } from "node:path";
import { ConfigError, loadConfig } from "./config.ts";
import { type ControlPlane, startControlPlane, StartError } from "./control-plane.ts";
import { DatabaseError } from "./db/error.ts";
import { createLogger } from "./http/logger.ts";
import { RuntimeError } from "./runtimes/runtime.ts";
import { SecretKeyError } from "./services/secret-key.ts";

/** sysexits.h: the configuration is wrong, so starting again without a change is of no use. */
const EX_CONFIG = 78;
const repeatedSignalMs = 1_000;

async function main(): Promise<void> {
  const repoRoot = resolve(import.meta.dir, "../../..");
  const config = loadConfig(process.env, repoRoot);
  const logger = createLogger(config.logLevel);
  let controlPlane: ControlPlane | undefined;
  let closingSince: number | undefined;
  const shutDown = (signal: string) => {
    if (closingSince !== undefined) {
      // A second Ctrl-C means it. The first may arrive twice: from the terminal, and handed on by npm.
      if (performance.now() - closingSince > repeatedSignalMs) process.exit(130);
      return;
    }
    closingSince = performance.now();
    logger.info({ signal }, "closing");
    // A start that takes its time has begun nothing yet.
    if (controlPlane === undefined) process.exit(0);
    void controlPlane.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, "closing failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", () => shutDown("SIGTERM"));
  process.on("SIGINT", () => shutDown("SIGINT"));

  controlPlane = await startControlPlane({ config, env: process.env, repoRoot, logger });
  if (config.apiToken === undefined)
    logger.warn("no API_TOKEN is set: everyone on this machine can use the API; it serves loopback only");
  logger.info({ url: controlPlane.url, runtime: controlPlane.runtime, docs: `${controlPlane.url}/docs` }, "listening");
  if (process.stdout.isTTY) {
    process.stdout.write(
      `\nAgentPod is at ${controlPlane.url}; its routes: ${controlPlane.url}/docs. Ctrl-C stops it.\n\n`,
    );
  }
}

function explain(error: unknown): { message: string; exitCode: number } {
  if (error instanceof ConfigError || error instanceof SecretKeyError)
    return { message: error.message, exitCode: EX_CONFIG };
  if (error instanceof DatabaseError || error instanceof RuntimeError || error instanceof StartError)
    return { message: error.message, exitCode: 1 };
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error), exitCode: 1 };
}

try {
  await main();
} catch (error) {
  const { message, exitCode } = explain(error);
  process.stderr.write(`agentpod: ${message}\n`);
  process.exit(exitCode);
}

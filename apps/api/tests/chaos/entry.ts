import { join, resolve } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { startControlPlane } from "../../src/control-plane.ts";
import { createLogger } from "../../src/http/logger.ts";

// The API as it is, but for waits that are cut short and light stand-ins for gateways of bare processes,
// so that many runs fit into little time.
const repoRoot = resolve(import.meta.dir, "../../../..");
const config = loadConfig(process.env, repoRoot);
const logger = createLogger(config.logLevel);
const controlPlane = await startControlPlane({
  config,
  env: process.env,
  repoRoot,
  logger,
  gatewayCommand: [process.execPath, join(import.meta.dir, "../support/light-gateway.mjs")],
  pace: {
    retry: { attemptsMax: 6, firstDelayMs: 20, delayMsMax: 200, retryAfterMsMax: 300 },
    retryFailed: { firstDelayMs: 50, delayMsMax: 500 },
    pollMs: 10,
    deployTimeoutMs: 2_000,
    healthTimeoutMs: Number(process.env["HEALTH_TIMEOUT_MS"] ?? 1_000),
    shutdownGraceMs: 300,
  },
});
process.on("SIGTERM", () => void controlPlane.close().then(() => process.exit(0)));
logger.info({ url: controlPlane.url }, "listening");

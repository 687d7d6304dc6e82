import { join, resolve } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { startControlPlane } from "../../src/control-plane.ts";
import { createLogger } from "../../src/http/logger.ts";

// The API with light stand-ins for gateways, so that hundreds of them fit on a small machine.
const repoRoot = resolve(import.meta.dir, "../../../..");
const config = loadConfig(process.env, repoRoot);
const logger = createLogger(config.logLevel);
const controlPlane = await startControlPlane({
  config,
  env: process.env,
  repoRoot,
  logger,
  gatewayCommand: [process.execPath, join(import.meta.dir, "light-gateway.mjs")],
});
process.on("SIGTERM", () => void controlPlane.close().then(() => process.exit(0)));
logger.info({ url: controlPlane.url }, "listening");

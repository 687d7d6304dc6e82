import { join, resolve } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { startControlPlane } from "../../src/control-plane.ts";
import { createLogger } from "../../src/http/logger.ts";

// The API with real gateways whose agents are those of AGENTS_FILE.
const repoRoot = resolve(import.meta.dir, "../../../..");
const config = loadConfig(process.env, repoRoot);
const logger = createLogger(config.logLevel);
const gateway = join(repoRoot, "docker/base/acp-gateway/src/index.ts");
const controlPlane = await startControlPlane({
  config,
  env: process.env,
  repoRoot,
  logger,
  gatewayCommand: [
    "/usr/bin/env",
    `AGENTPOD_AGENTS_FILE=${process.env["AGENTS_FILE"] ?? ""}`,
    process.execPath,
    gateway,
  ],
});
process.on("SIGTERM", () => void controlPlane.close().then(() => process.exit(0)));
logger.info({ url: controlPlane.url }, "listening");

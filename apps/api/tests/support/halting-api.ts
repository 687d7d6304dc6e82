import { resolve } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { startControlPlane } from "../../src/control-plane.ts";
import { createLogger } from "../../src/http/logger.ts";

// The API with one difference: before the step named by HALT_AT (`create:start`) it says so and goes
// no further, so that a test can kill it at exactly that place.
const repoRoot = resolve(import.meta.dir, "../../../..");
const config = loadConfig(process.env, repoRoot);
const logger = createLogger(config.logLevel);
const haltAt = process.env["HALT_AT"];

const controlPlane = await startControlPlane({
  config,
  env: process.env,
  repoRoot,
  logger,
  async beforeStep({ kind }, step) {
    logger.info({ at: `${kind}:${step}` }, "step");
    if (`${kind}:${step}` !== haltAt) return;
    logger.info({ at: haltAt }, "halted");
    await new Promise<never>(() => {});
  },
});
logger.info({ url: controlPlane.url }, "listening");

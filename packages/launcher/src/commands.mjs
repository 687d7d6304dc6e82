/**
 * @typedef {object} Command
 * @property {readonly (readonly string[])[]} steps what Bun runs, one after the other; the user's
 *   arguments go to the last
 * @property {Readonly<Record<string, string>>} [env] set for these steps only
 */

const staticChecks = [
  "node_modules/turbo/bin/turbo",
  "run",
  "check:format",
  "check:lint",
  "check:dead",
  "check:shell",
  "types",
  // All that is wrong in one go.
  "--continue",
  "--output-logs=new-only",
];
const tests = ["--no-env-file", "packages/test-runner/src/main.ts"];
const turboEnv = { TURBO_TELEMETRY_DISABLED: "1" };

/** @type {Readonly<Record<string, Command>>} */
export const COMMANDS = {
  start: { steps: [["apps/api/src/index.ts"]] },
  test: { steps: [tests] },
  agentpod: { steps: [["apps/api/src/cli.ts"]] },
  chaos: { steps: [["apps/api/tests/chaos/main.ts"]] },
  combinations: { steps: [["apps/api/tests/combinations/main.ts"]] },
  "real-agents": { steps: [["--no-env-file", "packages/gateway-client/tests/real-agents/main.ts"]] },
  bench: { steps: [["bench/src/main.ts"]] },
  "image-manifest": { steps: [["docker/scripts/manifest.ts"]] },
  verify: { steps: [staticChecks, tests], env: turboEnv },
  "verify:static": { steps: [staticChecks], env: turboEnv },
  format: { steps: [["node_modules/oxfmt/bin/oxfmt", "--write"]] },
};

const turbo = ["node_modules/turbo/bin/turbo", "run", "--ui=stream", "--output-logs=new-only"];
const staticChecks = [...turbo, "check:format", "check:lint", "check:dead", "check:shell", "types"];
const tests = ["packages/test-runner/src/main.ts"];

/**
 * What each command runs with Bun, step by step; the arguments of the user go to the last step.
 * @type {Readonly<Record<string, readonly (readonly string[])[]>>}
 */
export const COMMANDS = {
  start: [["apps/api/src/index.ts"]],
  test: [tests],
  agentpod: [["apps/api/src/cli.ts"]],
  verify: [staticChecks, tests],
  "verify:static": [staticChecks],
  format: [["node_modules/oxfmt/bin/oxfmt", "--write"]],
};

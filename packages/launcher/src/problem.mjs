/** A failure the user can act on: shown as its message alone, never with a stack. */
export class LaunchProblem extends Error {
  /** @override */
  name = "LaunchProblem";
}

/**
 * Progress and problems go to stderr, so that a command's own stdout stays clean.
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`agentpod: ${text}\n`);
}

import type { Environment } from "./types.ts";

/** What a program needs to find itself and its user's settings, and nothing that may be secret. */
const ALLOWED = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"] as const;

/** The environment for children of the gateway: a short list of names, copied. */
export function childEnvironment(env: Environment): Record<string, string> {
  const child: Record<string, string> = {};
  for (const name of ALLOWED) {
    const value = env[name];
    if (value !== undefined) child[name] = value;
  }
  return child;
}

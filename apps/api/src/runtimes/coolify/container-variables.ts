import type { SandboxSpec } from "../runtime.ts";
import { sandboxVariables } from "../sandbox-variables.ts";

const OWN_PREFIX = "AGENTPOD_";

/** The whole environment of a sandbox. PORT and HOST are Coolify's own: nothing of ours reads them. */
export function containerVariables(spec: SandboxSpec): { key: string; value: string }[] {
  return Object.entries(sandboxVariables(spec))
    .map(([key, value]) => ({ key, value }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

export const isOwnVariable = (key: string): boolean => key.startsWith(OWN_PREFIX);

/** Names that a description has to keep, as nothing in the name itself says that it is ours. */
export function otherVariables(keys: readonly string[]): string[] {
  return [...new Set(keys)].filter((key) => !isOwnVariable(key)).toSorted();
}

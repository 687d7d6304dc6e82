import type { SandboxSpec } from "../runtime.ts";
import { sandboxVariables } from "../sandbox-variables.ts";

const OWN_PREFIX = "AGENTPOD_";
/** By which a variable is known again as one that AgentPod has set. */
const COMMENT = "Set by AgentPod";

/** The whole environment of a sandbox. PORT and HOST are Coolify's own: nothing of ours reads them. */
export function containerVariables(spec: SandboxSpec): { key: string; value: string; comment: string }[] {
  return Object.entries(sandboxVariables(spec))
    .map(([key, value]) => ({ key, value, comment: COMMENT }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Whether AgentPod has set a variable, by what Coolify shows of it. */
export const isOwnVariable = ({ key, comment }: { key: string; comment?: string | null | undefined }): boolean =>
  hasOwnName(key) || comment === COMMENT;

const hasOwnName = (key: string): boolean => key.startsWith(OWN_PREFIX);

/** Names that a description has to keep, as nothing in the name itself says that it is ours. */
export function otherVariables(keys: readonly string[]): string[] {
  return [...new Set(keys)].filter((key) => !hasOwnName(key)).toSorted();
}

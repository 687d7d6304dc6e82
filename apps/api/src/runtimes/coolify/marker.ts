/**
 * What an application's description says of where it belongs. People may write around it, and Coolify
 * strips what looks like HTML, so it is one word without blanks or brackets.
 */
export interface Marker {
  instanceId: string;
  projectId: string;
  /** What the application was last configured for; null until that was done once. */
  configured: Configured | null;
}

export interface Configured {
  generation: number;
  /** Keyed digest of the whole configuration. */
  digest: string;
  /** The newest deployment when the configuration was complete: only later ones have it. Null for none. */
  after: string | null;
}

const WORD =
  /(?<![\w-])agentpod:(?<instanceId>[\w-]+):(?<projectId>[\w-]+)(?::g(?<generation>\d+):c(?<digest>[0-9a-f]+):a(?<after>\w*))?/;
const VARIABLES = /(?<![\w-])agentpod-variables:(?<names>[\w.,]+)/;
/** What the column has had room for since Coolify has it. */
const LENGTH_MAX = 255;
const ID = /^[\w-]{1,100}$/;

export interface Description extends Marker {
  slug: string;
  /**
   * Names of the variables that were set besides AgentPod's own, so that they can be taken back. As many as there is
   * room for: each has a comment that tells the same, but for those of before there were comments.
   */
  variables: readonly string[];
}

/** @throws TypeError for ids that could not be read back */
export function writeDescription({ slug, instanceId, projectId, configured, variables }: Description): string {
  if (!ID.test(instanceId) || !ID.test(projectId)) throw new TypeError("the ids cannot stand in a marker");
  const state = configured ? `:g${configured.generation}:c${configured.digest}:a${configured.after ?? ""}` : "";
  const lines = [
    `AgentPod sandbox ${slug}. AgentPod finds it by what follows: leave it here.`,
    `agentpod:${instanceId}:${projectId}${state}`,
  ];
  const text = lines.join("\n");
  const names: string[] = [];
  const withNames = () => `${text}\nagentpod-variables:${names.join(",")}`;
  for (const name of variables) {
    names.push(name);
    if (withNames().length > LENGTH_MAX) names.pop();
  }
  return names.length > 0 ? withNames() : text;
}

/** Null when the description has no marker. */
export function readMarker(description: string | null | undefined): Marker | null {
  const { instanceId, projectId, generation, digest, after } = WORD.exec(description ?? "")?.groups ?? {};
  if (instanceId === undefined || projectId === undefined) return null;
  if (generation === undefined || digest === undefined || !Number.isSafeInteger(Number(generation))) {
    return { instanceId, projectId, configured: null };
  }
  return { instanceId, projectId, configured: { generation: Number(generation), digest, after: after || null } };
}

export function readVariables(description: string | null | undefined): string[] {
  return (VARIABLES.exec(description ?? "")?.groups?.["names"] ?? "").split(",").filter(Boolean);
}

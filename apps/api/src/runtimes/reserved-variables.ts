/** Names that each sandbox gets a value of its own for, by the API or by its image. */
const OWN = [
  "AGENTPOD_PROJECT_ID AGENTPOD_FLAVOR AGENTPOD_ADDONS AGENTPOD_IMAGE AGENTPOD_SOURCE_URL AGENTPOD_SOURCE_TIMEOUT",
  "AGENTPOD_GATEWAY_TOKEN AGENTPOD_GATEWAY_TOKEN_FILE AGENTPOD_GATEWAY_NO_TOKEN AGENTPOD_GATEWAY_HOSTS",
  "AGENTPOD_GATEWAY_HOST AGENTPOD_GATEWAY_PORT AGENTPOD_GATEWAY_DATA AGENTPOD_AGENTS_FOLDER AGENTPOD_WORKSPACE",
].flatMap((names) => names.split(" "));

/** What a program finds itself and others by, or what makes a shell or the loader run other code. */
const SYSTEM = [
  "PATH HOME USER LOGNAME SHELL PWD OLDPWD HOSTNAME IFS ENV BASH_ENV BASHOPTS SHELLOPTS LD_PRELOAD LD_AUDIT",
  "NPM_CONFIG_PREFIX npm_config_prefix",
].flatMap((names) => names.split(" "));

const reasons = new Map<string, string>([
  ...OWN.map((name) => [name, "is set by AgentPod, for each sandbox its own"] as const),
  ...SYSTEM.map((name) => [name, "is the sandbox's own, which would break without it"] as const),
  ...["PORT", "HOST"].map((name) => [name, "is set by Coolify, and means the app in the sandbox elsewhere"] as const),
]);

/** Why no sandbox can be given a variable of this name from outside; null when it can. */
export function whyReserved(name: string): string | null {
  if (name.startsWith("COOLIFY_") || name === "SOURCE_COMMIT") return "is set by Coolify";
  return reasons.get(name) ?? null;
}

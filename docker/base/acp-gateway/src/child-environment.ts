import type { AgentEntry, Environment } from "./types.ts";

/**
 * What a program needs to find itself, its user's settings and the services of the sandbox, and nothing
 * of the gateway. A `*` at the end stands for any rest of a name, one at its start for any beginning.
 */
const ALLOWED: readonly string[] = [
  "PATH HOME USER LOGNAME SHELL TERM COLORTERM LANG LANGUAGE LC_* TZ TMPDIR EDITOR VISUAL",
  "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy",
  "NODE_EXTRA_CA_CERTS NODE_USE_SYSTEM_CA SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO",
  "PGHOST PGPORT PGUSER PGDATABASE MYSQL_HOST MYSQL_UNIX_PORT REDIS_URL",
  "CUDA_HOME LD_LIBRARY_PATH NVIDIA_*",
  "DISPLAY XAUTHORITY WAYLAND_DISPLAY XDG_* DBUS_SESSION_BUS_ADDRESS NO_AT_BRIDGE",
  "GOPATH GOBIN GOTOOLCHAIN CARGO_HOME RUSTUP_HOME CARGO_INSTALL_ROOT JAVA_HOME PIP_DISABLE_PIP_VERSION_CHECK",
  "NPM_CONFIG_PREFIX NPM_CONFIG_REGISTRY npm_config_registry NPM_CONFIG_UPDATE_NOTIFIER OPENCODE_DISABLE_AUTOUPDATE",
].flatMap((names) => names.split(" "));

/** Names no registry entry can open: they are the gateway's own, or make a program run other code. */
const NEVER: readonly string[] = ["AGENTPOD_*", "GATEWAY_*", "LD_PRELOAD", "LD_AUDIT", "ACP_GATEWAY_*"];

/** A session names no program: which one is run is the registry's to say. */
const NAMES_A_PROGRAM = /_(PATH|BIN|BINARY|EXECUTABLE|COMMAND|CMD|SHELL|SHELL_PREFIX)$/;

/** The environment for children of the gateway: listed names, and those an entry accepts, copied. */
export function childEnvironment(env: Environment, accepted: readonly string[] = []): Record<string, string> {
  const child: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || matches(NEVER, name)) continue;
    if (matches(ALLOWED, name) || matches(accepted, name)) child[name] = value;
  }
  return child;
}

/** Whether a session may set this variable for an agent of the entry. */
export function acceptsEnvironmentName({ acceptsEnv }: Pick<AgentEntry, "acceptsEnv">, name: string): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || NAMES_A_PROGRAM.test(name)) return false;
  return !matches(NEVER, name) && matches(acceptsEnv, name);
}

function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    if (pattern.endsWith("*")) return name.startsWith(pattern.slice(0, -1));
    return pattern.startsWith("*") ? name.endsWith(pattern.slice(1)) : name === pattern;
  });
}

import { readFileSync, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Environment, GatewayConfig } from "./types.ts";

const TOKEN_LENGTH_MIN = 16;
const LABEL_LENGTH_MAX = 256;
const DEFAULTS = { port: "4097", host: "127.0.0.1", workspace: "/home/developer/workspace" };

/** The environment cannot be used; `problems` holds one line for each thing wrong with it. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Reads the gateway's settings. An empty variable counts as not set.
 * Only AGENTPOD_ names are looked at: PORT and HOST belong to the app in the sandbox.
 * @throws ConfigError with every problem at once.
 */
export function loadConfig(env: Environment): GatewayConfig {
  const problems: string[] = [];
  const config: GatewayConfig = {
    host: readHost(env, problems),
    port: readPort(env, problems),
    token: readToken(env, problems),
    workspace: readWorkspace(env, problems),
    projectId: readLabel(env, "AGENTPOD_PROJECT_ID", problems),
    image: readLabel(env, "AGENTPOD_IMAGE", problems),
    flavor: readLabel(env, "AGENTPOD_FLAVOR", problems),
    addons: (readLabel(env, "AGENTPOD_ADDONS", problems) ?? "").split(/[\s,]+/).filter(Boolean),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function readPort(env: Environment, problems: string[]): number {
  const text = env["AGENTPOD_GATEWAY_PORT"] || DEFAULTS.port;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) {
    problems.push(`AGENTPOD_GATEWAY_PORT is ${JSON.stringify(text)}; use a number from 0 to 65535`);
  }
  return port;
}

function readHost(env: Environment, problems: string[]): string {
  const host = env["AGENTPOD_GATEWAY_HOST"] || DEFAULTS.host;
  if (!/^[0-9A-Za-z.:_-]{1,255}$/.test(host)) {
    problems.push(`AGENTPOD_GATEWAY_HOST is ${JSON.stringify(host)}; use an address such as 127.0.0.1 or 0.0.0.0`);
  }
  return host;
}

function readToken(env: Environment, problems: string[]): string {
  const inline = env["AGENTPOD_GATEWAY_TOKEN"];
  const file = env["AGENTPOD_GATEWAY_TOKEN_FILE"];
  if (inline && file) {
    problems.push("AGENTPOD_GATEWAY_TOKEN and AGENTPOD_GATEWAY_TOKEN_FILE are both set; keep one");
    return "";
  }
  const token = inline || (file ? readTokenFile(file, problems) : undefined);
  if (token === undefined) {
    if (!file) {
      problems.push("no token: set AGENTPOD_GATEWAY_TOKEN, or AGENTPOD_GATEWAY_TOKEN_FILE to a file that holds it");
    }
    return "";
  }
  if (!/^[\x21-\x7e]*$/.test(token)) {
    problems.push("the gateway token holds spaces, control or non-ASCII characters; it must fit in an HTTP header");
  } else if (token.length < TOKEN_LENGTH_MIN) {
    problems.push(`the gateway token has ${token.length} characters; use at least ${TOKEN_LENGTH_MIN}`);
  }
  return token;
}

function readTokenFile(path: string, problems: string[]): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    problems.push(`AGENTPOD_GATEWAY_TOKEN_FILE cannot be read: ${reason(error)}`);
    return undefined;
  }
}

function readWorkspace(env: Environment, problems: string[]): string {
  const workspace = env["AGENTPOD_WORKSPACE"] || DEFAULTS.workspace;
  if (!isAbsolute(workspace)) {
    problems.push(`AGENTPOD_WORKSPACE is ${JSON.stringify(workspace)}; use an absolute path`);
  } else if (!isFolder(workspace)) {
    problems.push(`AGENTPOD_WORKSPACE ${JSON.stringify(workspace)} is not an existing folder; create it first`);
  }
  return workspace;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function readLabel(env: Environment, name: string, problems: string[]): string | null {
  const text = env[name];
  if (!text) return null;
  if (text.length > LABEL_LENGTH_MAX || /\p{Cc}/u.test(text)) {
    problems.push(`${name} is too long or holds control characters; use at most ${LABEL_LENGTH_MAX} printable ones`);
  }
  return text;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

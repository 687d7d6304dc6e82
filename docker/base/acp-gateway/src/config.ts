import { isAbsolute, join } from "node:path";
import { readLimits } from "./config/limits.ts";
import { createSettingReader, type SettingReader } from "./config/reader.ts";
import { readTokens } from "./config/tokens.ts";
import type { Environment, GatewayConfig } from "./types.ts";

const MiB = 1024 * 1024;
const DEFAULTS = { port: 4097, host: "127.0.0.1", workspace: "/home/developer/workspace" };
const DAY_SECONDS = 24 * 3600;
const YEAR_SECONDS = 366 * DAY_SECONDS;

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
  const settings = createSettingReader(env);
  const host = readHost(settings);
  const workspace = settings.folder("AGENTPOD_WORKSPACE", DEFAULTS.workspace);
  const dataFolder = settings.absolutePath("AGENTPOD_GATEWAY_DATA", join("/", workspace, ".agentpod/gateway"));
  const config: GatewayConfig = {
    host,
    port: settings.whole("AGENTPOD_GATEWAY_PORT", DEFAULTS.port, { max: 65_535 }),
    tokens: readTokens(settings, host),
    workspace,
    roots: [workspace, ...settings.folders("AGENTPOD_GATEWAY_ROOTS").filter((folder) => folder !== workspace)],
    dataFolder,
    agentsFolder: settings.absolutePath("AGENTPOD_AGENTS_FOLDER", join("/", dataFolder, "agents")),
    hosts: settings
      .list("AGENTPOD_GATEWAY_HOSTS", /^(?:\*|(?:\*\.)?[0-9A-Za-z._-]{1,253})$/, "names without a port, *.name or *")
      .map((name) => name.toLowerCase()),
    origins: settings.list(
      "AGENTPOD_GATEWAY_ORIGINS",
      /^[a-z][a-z0-9+.-]*:\/\/[0-9a-z._:[\]-]+$/,
      "origins such as https://pod.example.com, in small letters and without a path",
    ),
    agentsFile:
      settings.text("AGENTPOD_AGENTS_FILE") === undefined ? null : settings.absolutePath("AGENTPOD_AGENTS_FILE", ""),
    registry: readRegistry(settings),
    installAllowed: settings.flag("AGENTPOD_AGENT_INSTALL"),
    log: {
      synchronous: settings.oneOf("AGENTPOD_GATEWAY_LOG_SYNCHRONOUS", ["normal", "off"]),
      bytes: settings.whole("AGENTPOD_GATEWAY_LOG_MB", 4096, { min: 1, max: 2 ** 24 }) * MiB,
      sessionBytes: settings.whole("AGENTPOD_GATEWAY_LOG_SESSION_MB", 1024, { min: 1, max: 2 ** 24 }) * MiB,
      days: settings.whole("AGENTPOD_GATEWAY_LOG_DAYS", 0, { max: 36_500 }),
    },
    idleSeconds: settings.whole("AGENTPOD_AGENT_IDLE_SECONDS", 900, { max: YEAR_SECONDS }),
    agentMemoryBytes: settings.whole("AGENTPOD_AGENT_MEMORY_MB", 0, { max: 2 ** 24 }) * MiB,
    permissionTimeoutSeconds: settings.whole("AGENTPOD_PERMISSION_TIMEOUT_SECONDS", DAY_SECONDS, { max: DAY_SECONDS }),
    limits: readLimits(settings),
    projectId: settings.label("AGENTPOD_PROJECT_ID"),
    image: settings.label("AGENTPOD_IMAGE"),
    flavor: settings.label("AGENTPOD_FLAVOR"),
    addons: (settings.label("AGENTPOD_ADDONS") ?? "").split(/[\s,]+/).filter(Boolean),
  };
  if (settings.problems.length > 0) throw new ConfigError(settings.problems);
  return config;
}

function readHost({ text, problems }: SettingReader): string {
  const host = text("AGENTPOD_GATEWAY_HOST") ?? DEFAULTS.host;
  if (!/^[0-9A-Za-z.:_-]{1,255}$/.test(host)) {
    problems.push(`AGENTPOD_GATEWAY_HOST is ${JSON.stringify(host)}; use an address such as 127.0.0.1 or 0.0.0.0`);
  }
  return host;
}

function readRegistry({ text, problems }: SettingReader): string | null {
  const given = text("AGENTPOD_AGENT_REGISTRY");
  if (given === undefined) return null;
  if (!isAbsolute(given) && !(URL.canParse(given) && /^https?:/.test(given))) {
    problems.push("AGENTPOD_AGENT_REGISTRY must be an absolute path or an http(s) URL");
  }
  return given;
}

import { readFileSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { envValueProblem } from "@agentpod/coolify";
import { isRegistryPrefix } from "@agentpod/oci";
import { z } from "zod";
import { readSandboxEnvFile } from "./sandbox-env-file.ts";
import { takeSecretFiles } from "./secret-files.ts";

/** One wrong environment variable: what is wrong, and what would be right. */
export interface ConfigProblem {
  name: string;
  message: string;
}

/** Every wrong variable at once; the message lists them and holds no values of secrets. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ name, message }) => `  ${name}: ${message}`);
    super(`The configuration has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n${lines.join("\n")}`);
    this.problems = problems;
  }
}

const domain = /^(?=.{1,200}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/;
const owner = /^[a-z0-9]+([._-][a-z0-9]+)*(\/[a-z0-9]+([._-][a-z0-9]+)*)*$/;
const uuid = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, "is not an id as Coolify shows it");

const encryptionKey = z
  .string()
  .regex(
    /^([0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)$/,
    "must be 32 bytes as 64 hex digits or base64; `openssl rand -hex 32` makes one",
  );

const isOrigin = (text: string): boolean => /^https?:\/\/[^/?#@\s]+$/i.test(text) && URL.canParse(text);

const fields = {
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, "must be a port from 0 to 65535")
    .transform(Number)
    .refine((port) => port <= 65_535, "must be a port from 0 to 65535"),
  HOST: z.string().regex(/^[A-Za-z0-9.:-]+$/, "must be a host name or an IP address, such as 127.0.0.1"),
  DATABASE_PATH: z.string().refine((path) => !path.includes("\0"), "must be a file path"),
  DATA_DIR: z.string().refine((path) => !path.includes("\0"), "must be a folder path"),
  API_TOKEN: z
    .string()
    .regex(
      /^[\x21-\x7e]{16,512}$/,
      "must be 16 to 512 printable ASCII characters without blanks; `openssl rand -hex 32` makes one",
    ),
  RUNTIME: z.enum(["auto", "coolify", "docker", "process"], { error: "must be auto, coolify, docker or process" }),
  DOCKER_HOST: z
    .string()
    .regex(
      /^(unix:\/\/\/.+|tcp:\/\/[^/@\s]+:\d{1,5}\/?|https?:\/\/[^/@\s]+:\d{1,5}\/?)$/,
      "must look like unix:///var/run/docker.sock or tcp://host:2375",
    ),
  REGISTRY_URL: z
    .string()
    .refine(isRegistryPrefix, "must be a registry without a scheme, such as ghcr.io or 127.0.0.1:5000"),
  DOCKER_CONFIG: z.string().refine((path) => !path.includes("\0"), "must be a folder path"),
  REGISTRY_OWNER: z.string().regex(owner, "must be a lower-case name such as agentpod"),
  IMAGE_VERSION: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, "must be an image tag such as 0.1.0"),
  IMAGE_MANIFEST: z.string().refine((path) => !path.includes("\0"), "must be a file path"),
  SANDBOX_ENV_FILE: z.string().refine((path) => !path.includes("\0"), "must be a file path"),
  WILDCARD_DOMAIN: z
    .string()
    .regex(domain, "must be a lower-case domain without scheme or `*.`, such as pods.example.com"),
  ENCRYPTION_KEY: encryptionKey,
  ENCRYPTION_KEY_NEW: encryptionKey,
  COOLIFY_URL: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .refine((url) => !/^https?:\/\/[^/]*@/.test(url), "must not hold credentials; they belong in COOLIFY_TOKEN"),
  COOLIFY_TOKEN: z.string().regex(/^[\x21-\x7e]{8,512}$/, "must be the API token as Coolify shows it"),
  COOLIFY_PROJECT_UUID: uuid,
  COOLIFY_SERVER_UUID: uuid,
  COOLIFY_DESTINATION_UUID: uuid,
  COOLIFY_ENVIRONMENT_NAME: z.string().min(1).max(255),
  COOLIFY_GPU: z
    .enum(["true", "false"], { error: "must be true when the server has an NVIDIA GPU for sandboxes, or false" })
    .transform((text) => text === "true"),
  RECONCILE_SECONDS: z
    .string()
    .regex(/^\d{1,5}$/, "must be 5 to 86400 seconds")
    .transform(Number)
    .refine((seconds) => seconds >= 5 && seconds <= 86_400, "must be 5 to 86400 seconds"),
  CONTAINER_TIERS_SUNSET: z
    .union([z.iso.date(), z.iso.datetime({ offset: true })], { error: "must be a date such as 2027-01-31" })
    .transform((date) => new Date(date)),
  ALLOWED_ORIGINS: z
    .string()
    .transform((list) => list.split(",").map((origin) => origin.trim()))
    .refine((list) => list.every(isOrigin), "must be a comma list of origins such as https://dash.example.com")
    // As browsers write them: lower case, without the scheme's own port.
    .transform((list) => list.map((origin) => new URL(origin).origin)),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"], {
    error: "must be debug, info, warn, error or silent",
  }),
} as const;

type Fields = typeof fields;
type Values = { [Name in keyof Fields]?: z.output<Fields[Name]> };
export type Environment = Readonly<Record<string, string | undefined>>;

const loopbackHost = /^(localhost|127\.0\.0\.1|::1|\[::1\])$/i;

function parseFields(env: Environment, problems: ConfigProblem[]): Values {
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(fields)) {
    const raw = env[name]?.trim();
    // Compose files and CI pass "" for what is not set.
    if (raw === undefined || raw === "") continue;
    const parsed = schema.safeParse(raw);
    if (parsed.success) values[name] = parsed.data;
    else for (const issue of parsed.error.issues.slice(0, 1)) problems.push({ name, message: issue.message });
  }
  return values;
}

function checkTogether(values: Values, problems: ConfigProblem[]): void {
  const { HOST, API_TOKEN, RUNTIME = "auto" } = values;
  const engineHost = /^(?:tcp|https?):\/\/(.+):\d+\/?$/.exec(values.DOCKER_HOST ?? "")?.[1];
  if (engineHost !== undefined && !loopbackHost.test(engineHost)) {
    problems.push({
      name: "DOCKER_HOST",
      message: `must be an engine on this machine, not on ${engineHost}: sandboxes are published on the engine's loopback, which is out of reach from here`,
    });
  }
  if (HOST && !loopbackHost.test(HOST)) {
    if (!API_TOKEN && !problems.some(({ name }) => name.startsWith("API_TOKEN"))) {
      problems.push({
        name: "API_TOKEN",
        message: `is needed when HOST (${HOST}) is not a loopback address: anyone who reaches the port could run code`,
      });
    }
    if (RUNTIME === "process") {
      problems.push({ name: "RUNTIME", message: `process gives no isolation and needs a loopback HOST, not ${HOST}` });
    }
  }
  checkCoolify(values, problems);
}

/** What the Coolify runtime cannot do without. */
const neededForCoolify = {
  COOLIFY_URL: "where Coolify is, such as https://coolify.example.com",
  COOLIFY_TOKEN: "an API token of Coolify with the abilities read, write and deploy",
  COOLIFY_PROJECT_UUID: "the project of Coolify that sandboxes are put into; its page's address has the id",
  COOLIFY_SERVER_UUID: "the server that sandboxes run on; its page's address has the id",
  WILDCARD_DOMAIN: "Coolify's proxy routes by host name, so without one nothing of a sandbox could be reached",
  REGISTRY_URL: "Coolify's servers pull images from a registry",
} as const;

function checkCoolify(values: Values, problems: ConfigProblem[]): void {
  const set = Object.keys(values).filter((name) => name.startsWith("COOLIFY_"));
  const { RUNTIME = "auto" } = values;
  // Which one is meant is not known.
  if (problems.some(({ name }) => name === "RUNTIME")) return;
  if (RUNTIME !== "coolify" && (RUNTIME !== "auto" || set.length === 0)) return;
  const because = RUNTIME === "coolify" ? "RUNTIME is coolify" : `${set.join(", ")} is set and RUNTIME is auto`;
  for (const [name, what] of Object.entries(neededForCoolify)) {
    const isWrong = problems.some((problem) => problem.name.startsWith(name));
    if (!(name in values) && !isWrong) problems.push({ name, message: `is needed because ${because}: ${what}` });
  }
}

export interface CoolifyConfig {
  url: string;
  /** Secret. */
  token: string;
  projectUuid: string;
  serverUuid: string;
  /** Null takes the server's only one. */
  destinationUuid: string | null;
  environmentName: string;
  /** Whether its server has a GPU for sandboxes. */
  gpu: boolean;
}

export interface Config {
  host: string;
  port: number;
  /** Whether only this machine can reach the API. */
  loopback: boolean;
  databasePath: string;
  dataDir: string;
  apiToken: string | undefined;
  runtime: "auto" | "coolify" | "docker" | "process";
  /** Set when Coolify is asked for, or `auto` takes it. */
  coolify: CoolifyConfig | null;
  /** Between two looks at what runs. */
  reconcileSeconds: number;
  /** Web origins whose pages may call the API, besides its own. */
  allowedOrigins: string[];
  dockerHost: string | undefined;
  /** Docker's `config.json`, whose credentials registries are asked with; null when nobody knows where it would be. */
  dockerConfigPath: string | null;
  registryUrl: string;
  registryOwner: string;
  imageVersion: string;
  /** What the images were measured to weigh; written by `docker/scripts/manifest.sh`. */
  imageManifestPath: string;
  wildcardDomain: string | null;
  /** Further variables of every sandbox; values may be secret. */
  sandboxEnv: Readonly<Record<string, string>>;
  encryptionKey: string | undefined;
  /** What `agentpod secrets rotate` replaces it by. */
  encryptionKeyNew: string | undefined;
  /** From then on the deprecated container tiers answer 410. */
  containerTiersSunset: Date;
  logLevel: "debug" | "info" | "warn" | "error" | "silent";
}

/**
 * Reads the configuration. Unset and empty variables take their defaults.
 * @param repoRoot the checkout that defaults and relative paths start from
 * @throws ConfigError with every problem found
 */
export function loadConfig(env: Environment, repoRoot: string): Config {
  const problems: ConfigProblem[] = [];
  const values = parseFields(takeSecretFiles(env, problems), problems);
  checkTogether(values, problems);
  const within = (path: string) => (isAbsolute(path) ? path : resolve(repoRoot, path));
  const { SANDBOX_ENV_FILE } = values;
  const sandboxEnv = SANDBOX_ENV_FILE === undefined ? {} : readSandboxEnv(within(SANDBOX_ENV_FILE), values, problems);
  if (problems.length > 0) throw new ConfigError(problems);

  const dataDir = within(values.DATA_DIR ?? "data");
  const host = values.HOST ?? "127.0.0.1";
  return {
    host,
    port: values.PORT ?? 3001,
    loopback: loopbackHost.test(host),
    databasePath: within(values.DATABASE_PATH ?? join(dataDir, "agentpod.db")),
    dataDir,
    apiToken: values.API_TOKEN,
    runtime: values.RUNTIME ?? "auto",
    coolify: coolifyConfig(values),
    reconcileSeconds: values.RECONCILE_SECONDS ?? 30,
    allowedOrigins: values.ALLOWED_ORIGINS ?? [],
    dockerHost: values.DOCKER_HOST,
    dockerConfigPath: dockerConfigPath(values.DOCKER_CONFIG, env["HOME"]),
    registryUrl: values.REGISTRY_URL ?? "localhost",
    registryOwner: values.REGISTRY_OWNER ?? "agentpod",
    imageVersion: values.IMAGE_VERSION ?? releasedVersion(repoRoot),
    imageManifestPath: within(values.IMAGE_MANIFEST ?? "docker/manifest.json"),
    wildcardDomain: values.WILDCARD_DOMAIN ?? null,
    sandboxEnv,
    encryptionKey: values.ENCRYPTION_KEY,
    encryptionKeyNew: values.ENCRYPTION_KEY_NEW,
    containerTiersSunset: values.CONTAINER_TIERS_SUNSET ?? new Date("2026-12-31T00:00:00Z"),
    logLevel: values.LOG_LEVEL ?? "info",
  };
}

function readSandboxEnv(path: string, values: Values, problems: ConfigProblem[]): Record<string, string> {
  const file = readSandboxEnvFile(path);
  const name = "SANDBOX_ENV_FILE";
  problems.push(...file.problems.map((message) => ({ name, message })));
  if (coolifyConfig(values) === null) return file.variables;
  for (const [variable, value] of Object.entries(file.variables)) {
    const problem = envValueProblem(value);
    if (problem !== null) problems.push({ name, message: `${variable} ${problem}` });
  }
  return file.variables;
}

function coolifyConfig(values: Values): CoolifyConfig | null {
  const { RUNTIME = "auto", COOLIFY_URL: url, COOLIFY_TOKEN: token } = values;
  const { COOLIFY_PROJECT_UUID: projectUuid, COOLIFY_SERVER_UUID: serverUuid } = values;
  if (RUNTIME === "docker" || RUNTIME === "process" || !url || !token || !projectUuid || !serverUuid) return null;
  return {
    url,
    token,
    projectUuid,
    serverUuid,
    destinationUuid: values.COOLIFY_DESTINATION_UUID ?? null,
    environmentName: values.COOLIFY_ENVIRONMENT_NAME ?? "production",
    gpu: values.COOLIFY_GPU ?? false,
  };
}

/** As the `docker` command finds it. */
function dockerConfigPath(folder: string | undefined, home: string | undefined): string | null {
  if (folder !== undefined) return resolve(folder, "config.json");
  return home ? join(home, ".docker", "config.json") : null;
}

/** The version the scripts tag images with. */
function releasedVersion(repoRoot: string): string {
  return readFileSync(join(repoRoot, "docker", "VERSION"), "utf8").trim();
}

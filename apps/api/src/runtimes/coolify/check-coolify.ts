import { COOLIFY_VERSION_MIN, CoolifyError, type CoolifyFailure, type Preflight } from "@agentpod/coolify";
import { RuntimeError } from "../runtime.ts";
import { toRuntimeError } from "./coolify-error.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";

/** While these last no start can succeed, and they do not pass by themselves. */
const misconfigured: ReadonlySet<string> = new Set<CoolifyFailure>([
  "unauthenticated",
  "missing_ability",
  "api_disabled",
  "address_not_allowed",
  "forbidden",
  "not_found",
]);

/**
 * Whether Coolify can be used as the options say; changes nothing there.
 * @throws RuntimeError `rejected` for what somebody has to put right, with how; `unavailable` or `timeout`
 * when Coolify or its server does not answer
 */
export async function checkCoolify(options: CoolifyRuntimeOptions, signal: AbortSignal): Promise<void> {
  const { client, logger } = options;
  checkToken(await ask("checking the token", () => client.preflight({ signal })), logger);
  await checkEnvironment(options, signal);
  await checkServer(options, signal);
  await checkDestination(options, signal);
}

function checkToken(
  { version, versionSupported, abilities, missing }: Preflight,
  logger: CoolifyRuntimeOptions["logger"],
): void {
  if (missing.length > 0) {
    const names = missing.join(", ");
    throw rejected(`Coolify's token lacks ${names}; make one with read, write and deploy under Keys & Tokens`);
  }
  if (versionSupported === false) {
    throw rejected(`Coolify ${version} is too old; update it to ${COOLIFY_VERSION_MIN} or later`);
  }
  if (abilities.readSensitive === false) {
    logger.warn({}, "Coolify's token lacks read:sensitive, so that nobody is told why a deployment failed");
  }
}

async function checkEnvironment(
  { client, projectUuid, environmentName }: CoolifyRuntimeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { environments = [] } = await ask(`looking for the project ${projectUuid}`, () =>
    client.getProject(projectUuid, { signal }),
  );
  const names = environments.map(({ name }) => name);
  if (names.includes(environmentName)) return;
  const there = names.length > 0 ? `it has ${names.join(", ")}` : "it has none";
  throw rejected(`Coolify's project ${projectUuid} has no environment ${environmentName}; ${there}`);
}

async function checkServer({ client, serverUuid, logger }: CoolifyRuntimeOptions, signal: AbortSignal): Promise<void> {
  const { name, settings, proxy } = await ask(`looking for the server ${serverUuid}`, () =>
    client.getServer(serverUuid, { signal }),
  );
  if (settings?.is_build_server) {
    throw rejected(`Coolify's server ${name} only builds; set one that runs applications`);
  }
  if (settings?.is_usable === false || settings?.is_reachable === false) {
    throw new RuntimeError(
      "unavailable",
      `Coolify's server ${name} is out of reach or not usable; validate it in Coolify, under Servers`,
    );
  }
  if (proxy?.type?.toLowerCase() === "none") {
    logger.warn({ server: name }, "Coolify's server has no proxy, so no public name can be routed to a sandbox");
  }
}

async function checkDestination(
  { client, serverUuid, destinationUuid }: CoolifyRuntimeOptions,
  signal: AbortSignal,
): Promise<void> {
  const all = await ask("looking for the destinations", () => client.listDestinations(serverUuid, { signal }));
  const list = all.map(({ uuid, name }) => `${uuid} (${name})`).join(", ");
  if (destinationUuid === undefined) {
    if (all.length > 1) throw rejected(`Coolify's server has more than one destination; choose one: ${list}`);
  } else if (!all.some(({ uuid }) => uuid === destinationUuid)) {
    throw rejected(`Coolify's server has no destination ${destinationUuid}; it has ${list}`);
  }
}

async function ask<Answer>(doing: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    const failure = toRuntimeError(error, doing);
    const isMisconfigured = error instanceof CoolifyError && misconfigured.has(error.failure);
    throw isMisconfigured && failure instanceof RuntimeError ? rejected(failure.message) : failure;
  }
}

const rejected = (message: string): RuntimeError => new RuntimeError("rejected", message);

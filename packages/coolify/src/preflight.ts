import { z } from "zod";
import { CoolifyError } from "./errors.ts";
import type { createInstance } from "./instance.ts";
import type { CallOptions, CoolifyRequest, Transport } from "./transport.ts";

/** The oldest release whose answers and endpoints this client was made for. */
export const COOLIFY_VERSION_MIN = "4.2.0";

export interface Preflight {
  /** Null when the token lacks `read`. */
  version: string | null;
  /** Null when the version is unknown. */
  versionSupported: boolean | null;
  abilities: {
    read: boolean;
    write: boolean;
    deploy: boolean;
    /** For the reasons of failed deployments and values of variables; null when it cannot be told. */
    readSensitive: boolean | null;
  };
  /** Those of read, write and deploy that the token lacks, by Coolify's names. */
  missing: string[];
}

/**
 * No endpoint tells a token's abilities, but Coolify checks them before anything else of a request. So each is asked
 * with a request that can do nothing: 403 names the missing ability, any other refusal means it is there.
 */
export function createPreflight(transport: Transport, instance: ReturnType<typeof createInstance>) {
  /** Throws when the token, the API or the connection is the problem. */
  async function preflight(options: CallOptions = {}): Promise<Preflight> {
    const found = await held(instance.version(options));
    // PATCH of nothing, to an application that cannot exist.
    const nowhere = { route: "/applications/{uuid}", parameters: { uuid: "agentpod-preflight" } };
    const write = await able(transport, { method: "PATCH", ...nowhere, body: {}, ...options });
    // A deployment of nothing: neither uuid nor tag.
    const deploy = await able(transport, { method: "POST", route: "/deploy", ...options });
    const read = found !== null;
    const readSensitive = read ? await seesSecrets(transport, options) : null;
    const abilities = { read, write, deploy, readSensitive };
    const missing = (["read", "write", "deploy"] as const).filter((ability) => !abilities[ability]);
    return { version: found, versionSupported: found === null ? null : isSupported(found), abilities, missing };
  }

  return { preflight };
}

/** What the call gives, or null when the token lacks the ability for it. */
async function held<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof CoolifyError && error.failure === "missing_ability") return null;
    throw error;
  }
}

async function able({ send }: Transport, probe: CoolifyRequest): Promise<boolean> {
  try {
    return (await held(send({ ...probe, harmless: true }))) !== null;
  } catch (error) {
    if (error instanceof CoolifyError && (error.failure === "invalid_request" || error.failure === "not_found")) {
      return true;
    }
    throw error;
  }
}

const Settings = z.array(z.looseObject({ settings: z.record(z.string(), z.unknown()).nullish() }));

/** Server settings that Coolify leaves out, even when they are empty, unless the token may see secrets. */
const secretSettings = ["sentinel_token", "logdrain_axiom_api_key", "logdrain_newrelic_license_key"];

async function seesSecrets({ ask }: Transport, options: CallOptions): Promise<boolean | null> {
  const servers = await ask({ method: "GET", route: "/servers", ...options }, Settings);
  const names = servers.flatMap(({ settings }) => Object.keys(settings ?? {}));
  return names.length === 0 ? null : names.some((name) => secretSettings.includes(name));
}

/** Whether a version is at least `COOLIFY_VERSION_MIN`; a beta comes before its release. */
function isSupported(version: string): boolean {
  const [core = "", beta] = version.replace(/^v/, "").split("-");
  const parts = core.split(".").map(Number);
  const least = COOLIFY_VERSION_MIN.split(".").map(Number);
  const differs = least.findIndex((part, index) => part !== parts[index]);
  return differs === -1 ? beta === undefined : (parts[differs] ?? 0) > (least[differs] ?? 0);
}

import { childEnvironment } from "../child-environment.ts";
import type { AgentEntry, Environment } from "../types.ts";
import type { JsonObject, JsonValue } from "../wire/index.ts";

export type Authentication = { methodId: string; _meta?: JsonObject };

/** The variables an agent's process gets: the gateway's that it may have, the entry's, the session's. */
export function agentEnvironment(entry: AgentEntry, gateway: Environment, session: Readonly<Record<string, string>>) {
  const env = { ...childEnvironment(gateway, entry.acceptsEnv), ...entry.env, ...session };
  const quirk = entry.quirks.authenticate;
  // What is handed over by `authenticate` need not be where the agent's tools could print it.
  if (quirk?.withhold && applies(entry, env)) delete env[quirk.needs];
  return env;
}

/** How a session of the agent logs in by what variables hold; null when they hold nothing to do that with. */
export function authenticationOf(
  entry: AgentEntry,
  gateway: Environment,
  session: Readonly<Record<string, string>>,
): Authentication | null {
  const env = { ...childEnvironment(gateway, entry.acceptsEnv), ...entry.env, ...session };
  const quirk = entry.quirks.authenticate;
  if (!quirk || !applies(entry, env)) return null;
  const { methodId, meta } = quirk;
  return meta === undefined ? { methodId } : { methodId, _meta: filled(meta, env) };
}

function applies({ quirks }: AgentEntry, env: Readonly<Record<string, string>>): boolean {
  const quirk = quirks.authenticate;
  if (!quirk || !env[quirk.needs]) return false;
  return !quirk.unless?.some((name) => env[name]);
}

function filled(meta: JsonObject, env: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(meta).map(([name, value]) => [name, fill(value, env)]));
}

function fill(value: JsonValue, env: Readonly<Record<string, string>>): JsonValue {
  if (typeof value === "string") return value.startsWith("$") ? (env[value.slice(1)] ?? "") : value;
  if (Array.isArray(value)) return value.map((member) => fill(member, env));
  return typeof value === "object" && value !== null ? filled(value, env) : value;
}

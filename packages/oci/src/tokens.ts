import { z } from "zod";
import { parseJson } from "./body.ts";
import type { Challenge } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { failureOf, RegistryError } from "./errors.ts";
import { exchangeOnce, type ExchangeLimits } from "./exchange.ts";
import { isLoopback } from "./reference.ts";

export interface TokenRequest {
  host: string;
  /** The registry's own address: a token service by plain HTTP is only trusted beside it. */
  origin: string;
  challenge: Extract<Challenge, { scheme: "bearer" }>;
  scope: string;
  credentials: Credentials | null;
  signal: AbortSignal | undefined;
}

export interface Token {
  /** Secret. */
  header: string;
  /** Milliseconds from now. */
  lastsMs: number;
}

/** Registries that do not say mean this, by the specification. */
const SECONDS_DEFAULT = 60;
const SECONDS_MAX = 3600;

const TokenAnswer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().nonnegative().optional(),
});

/**
 * Gets a bearer token where the registry's challenge says, anonymously without credentials.
 * @throws RegistryError
 */
export async function fetchToken(request: TokenRequest, limits: ExchangeLimits): Promise<Token> {
  const { host, challenge, credentials, scope, signal } = request;
  const url = tokenUrl(request);
  if (challenge.service !== null) url.searchParams.set("service", challenge.service);
  for (const part of scope.split(" ").filter((text) => text !== "")) url.searchParams.append("scope", part);
  const authorization = credentials === null ? null : basicHeader(credentials);
  const headers = { accept: "application/json" };
  const answer = await exchangeOnce({ host, method: "GET", url: url.href, headers, authorization, signal }, limits);
  if (answer.status !== 200) throw failureOf(host, answer);
  const parsed = TokenAnswer.safeParse(parseJson(new TextDecoder().decode(answer.bytes)));
  const token = parsed.data?.token ?? parsed.data?.access_token ?? "";
  // One with a newline or the like would make fetch throw an error that quotes it.
  if (!/^[\x21-\x7e]+$/.test(token)) throw unexpected(host, "the token service answered without a token");
  const seconds = Math.min(parsed.data?.expires_in ?? SECONDS_DEFAULT, SECONDS_MAX);
  return { header: `Bearer ${token}`, lastsMs: seconds * 1000 };
}

export function basicHeader({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

function tokenUrl({ host, origin, challenge }: TokenRequest): URL {
  const url = URL.canParse(challenge.realm) ? new URL(challenge.realm) : null;
  if (url === null || url.username !== "" || url.password !== "") {
    throw unexpected(host, "the registry names a token service that is no address");
  }
  const registry = new URL(origin);
  const isBeside = isLoopback(registry.host) && url.hostname === registry.hostname;
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isBeside)) {
    throw unexpected(host, "the registry names a token service without HTTPS, so it is asked for none");
  }
  return url;
}

function unexpected(host: string, what: string): RegistryError {
  return new RegistryError("unexpected_answer", `${host}: ${what}.`);
}

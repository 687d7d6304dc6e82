import { type Challenge, readChallenge } from "./challenge.ts";
import type { CredentialsOf } from "./credentials.ts";
import { failureOf, RegistryError } from "./errors.ts";
import { type Answer, exchangeOnce, type ExchangeLimits } from "./exchange.ts";
import { originOf } from "./reference.ts";
import { basicHeader, fetchToken } from "./tokens.ts";

export interface SessionOptions extends ExchangeLimits {
  credentials: CredentialsOf;
  insecureHosts: readonly string[];
}

export interface Question {
  host: string;
  method: "GET" | "HEAD";
  /** Below the registry's address, such as `/v2/`. */
  path: string;
  accept: string;
  repository: string;
  signal: AbortSignal | undefined;
}

interface Authorization {
  /** Secret. */
  header: string;
  scope: string | null;
  /** Whether it was just got, so that getting another is of no use. */
  fresh: boolean;
}

const TOKENS_MAX = 2000;
/** A token that ends while it is on its way would cost two more requests. */
const MARGIN_MS = 5_000;

/**
 * Asks registries, logging in where they want it: what a registry wants is remembered, so that only the first question
 * is asked twice, and tokens are used until they end.
 */
export function createSession({ credentials, insecureHosts, ...limits }: SessionOptions) {
  const wanted = new Map<string, Challenge>();
  const tokens = new Map<string, { header: string; endsAt: number }>();

  async function authorize(
    challenge: Challenge,
    { host, signal }: Question,
    scope: string,
  ): Promise<Authorization | null> {
    if (challenge.scheme === "basic") {
      const found = credentials(host);
      return found === null ? null : { header: basicHeader(found), scope: null, fresh: true };
    }
    const key = `${host} ${scope}`;
    const known = tokens.get(key);
    if (known !== undefined && known.endsAt > performance.now()) return { header: known.header, scope, fresh: false };
    const origin = originOf(host, insecureHosts);
    const request = { host, origin, challenge, scope, credentials: credentials(host), signal };
    const { header, lastsMs } = await fetchToken(request, limits);
    if (tokens.size >= TOKENS_MAX) tokens.clear();
    tokens.set(key, { header, endsAt: performance.now() + lastsMs - MARGIN_MS });
    return { header, scope, fresh: true };
  }

  const send = ({ host, method, path, accept, signal }: Question, authorization: Authorization | null) =>
    exchangeOnce(
      {
        host,
        method,
        url: `${originOf(host, insecureHosts)}${path}`,
        headers: { accept },
        authorization: authorization?.header ?? null,
        signal,
      },
      limits,
    );

  /** The answer, logged in where that is wanted; a 401 never comes back. */
  async function ask(question: Question): Promise<Answer> {
    const { host, repository } = question;
    const scopeDefault = `repository:${repository}:pull`;
    const before = wanted.get(host);
    const first = before === undefined ? null : await authorize(before, question, scopeDefault);
    const answer = await send(question, first);
    if (answer.status !== 401) return answer;

    const challenge = readChallenge(answer.headers.get("www-authenticate") ?? "");
    if (challenge === null) throw failureOf(host, answer);
    wanted.set(host, challenge);
    const scope = challenge.scheme === "basic" ? null : (challenge.scope ?? scopeDefault);
    if (first !== null && first.fresh && first.scope === scope) throw refusal(host, answer, challenge);
    if (scope !== null) tokens.delete(`${host} ${scope}`);
    const second = await authorize(challenge, question, scope ?? scopeDefault);
    if (second === null) throw refusal(host, answer, challenge);
    const again = await send(question, second);
    if (again.status !== 401) return again;
    throw refusal(host, again, readChallenge(again.headers.get("www-authenticate") ?? "") ?? challenge);
  }

  /** The first answer, whatever it says, without logging in. */
  const askOpenly = (question: Question): Promise<Answer> => send(question, null);

  return { ask, askOpenly };
}

function refusal(host: string, answer: Answer, challenge: Challenge): RegistryError {
  const refused = challenge.scheme === "bearer" && challenge.error === "insufficient_scope";
  return failureOf(host, refused ? { ...answer, status: 403 } : answer);
}

import { parseJson, readBounded } from "./body.ts";
import { CoolifyError, type CoolifyFailure } from "./errors.ts";
import { type Answer, failureOf } from "./failure.ts";

export type Fetch = (url: string, init: BunFetchRequestInit) => Promise<Response>;

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** What one exchange needs to know; `url` and `headers` are complete. */
export interface Exchange {
  call: string;
  method: Method;
  url: string;
  headers: Record<string, string>;
  body: string | undefined;
  writes: boolean;
  partial: boolean;
  secrets: readonly string[];
  signal: AbortSignal | undefined;
}

interface ExchangeLimits {
  fetch: Fetch;
  timeoutMs: number;
  answerBytesMax: number;
}

/** These say that no connection was made, so that nothing was sent. */
const notSent = new Set(["ECONNREFUSED", "ConnectionRefused", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** `broken` tells a connection that broke from every other reason to have no answer. */
export type Outcome =
  | { answer: Answer; error: null; broken: false }
  | { answer: null; error: CoolifyError; broken: boolean };

/** Sends once and reads the answer; there is an error for anything but a 2xx. */
export async function exchangeOnce(exchange: Exchange, limits: ExchangeLimits): Promise<Outcome> {
  const { call, method, signal, writes } = exchange;
  const failed = (error: CoolifyError, broken = false): Outcome => ({ answer: null, error, broken });
  if (signal?.aborted === true) return failed(new CoolifyError("aborted", `${call}: given up before it was sent.`));
  const stopper = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    stopper.abort();
  }, limits.timeoutMs);
  const stop = () => stopper.abort();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const response = await limits.fetch(exchange.url, {
      method,
      headers: exchange.headers,
      redirect: "manual",
      signal: stopper.signal,
      // Bun repeats a DELETE by itself, and fails a POST, when a connection it kept turns out to be closed.
      keepalive: !writes,
      ...(exchange.body === undefined ? {} : { body: exchange.body }),
    });
    const read = await readAnswer(response, exchange, limits);
    return read instanceof CoolifyError ? failed(read) : { answer: read, error: null, broken: false };
  } catch (error) {
    const code = codeOf(error);
    const lost = lostAnswer(exchange, limits, { code, timedOut });
    return failed(lost, lost.failure === "unreachable" && !notSent.has(code));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

async function readAnswer(
  response: Response,
  { call, writes, partial, secrets }: Exchange,
  { answerBytesMax }: ExchangeLimits,
): Promise<Answer | CoolifyError> {
  const text = await readBounded(response, answerBytesMax);
  if (text === null) {
    return new CoolifyError("unexpected_response", `${call}: the answer is longer than ${answerBytesMax} bytes.`, {
      status: response.status,
      mayHaveHappened: writes,
    });
  }
  const answer = { status: response.status, headers: response.headers, text, json: parseJson(text) };
  return response.ok ? answer : failureOf(answer, { call, writes, partial, secrets });
}

function lostAnswer(
  { call, signal, writes }: Exchange,
  { timeoutMs }: ExchangeLimits,
  { code, timedOut }: { code: string; timedOut: boolean },
): CoolifyError {
  const fail = (failure: CoolifyFailure, message: string, mayHaveHappened = writes) =>
    new CoolifyError(failure, `${call}: ${message}`, { mayHaveHappened });
  if (signal?.aborted === true) return fail("aborted", "given up while it ran.");
  if (timedOut) return fail("timeout", `no answer within ${timeoutMs} ms.`);
  if (notSent.has(code)) return fail("unreachable", `no connection to Coolify (${code}).`, false);
  return fail("unreachable", `the connection to Coolify broke (${code === "" ? "no reason given" : code}).`);
}

/** The system's code alone: the text of such an error may hold more than a user should see. */
function codeOf(error: unknown): string {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  return typeof code === "string" && /^[A-Za-z_]{1,60}$/.test(code) ? code : "";
}

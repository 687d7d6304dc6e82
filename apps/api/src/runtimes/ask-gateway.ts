import { request } from "node:http";

/** More than any gateway's `/info`; what is longer is not one. */
const BODY_BYTES_MAX = 64 * 1024;

export type GatewayAnswer =
  | { kind: "info"; projectId: string | null }
  | { kind: "refused_token"; saw: string }
  | { kind: "timeout"; saw: string }
  | { kind: "other"; saw: string };

export interface AskGatewayOptions {
  baseUrl: string;
  token: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Asks `GET /info` once and never throws; `saw` is fit for an error message. */
export async function askGateway(options: AskGatewayOptions): Promise<GatewayAnswer> {
  const answer = await ask("/info", options);
  return "status" in answer ? readAnswer(answer.status, answer.body) : answer;
}

/** What `GET /v1/activity` answers, unchecked; undefined without such an answer. Never throws. */
export async function askActivity(options: AskGatewayOptions): Promise<unknown> {
  const answer = await ask("/v1/activity", options);
  return "status" in answer && answer.status === 200 ? parseJson(answer.body) : undefined;
}

type Unanswered = Extract<GatewayAnswer, { kind: "timeout" | "other" }>;

/**
 * Over node:http because `fetch` would hand even a loopback request, token and all, to the proxy
 * of the environment.
 */
function ask(
  path: string,
  { baseUrl, token, timeoutMs, signal }: AskGatewayOptions,
): Promise<{ status: number; body: string } | Unanswered> {
  const { promise, resolve } = Promise.withResolvers<{ status: number; body: string } | Unanswered>();
  const limit = new AbortController();
  const onAbort = () => settle({ kind: "other", saw: "the wait was ended" });
  const timer = setTimeout(() => settle({ kind: "timeout", saw: "no answer in time" }), timeoutMs);

  function settle(answer: { status: number; body: string } | Unanswered): void {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    resolve(answer);
    limit.abort();
  }

  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const call = request(new URL(path, baseUrl), {
    headers: { authorization: `Bearer ${token}`, connection: "close" },
    agent: false,
    signal: limit.signal,
  });
  call.on("error", (error) => settle({ kind: "other", saw: describe(error) }));
  call.on("response", (response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (part: string) => {
      body += part;
      if (body.length > BODY_BYTES_MAX) settle({ kind: "other", saw: "an answer too long to be a gateway's" });
    });
    response.on("error", (error) => settle({ kind: "other", saw: describe(error) }));
    response.on("end", () => settle({ status: response.statusCode ?? 0, body }));
  });
  call.end();
  return promise;
}

function readAnswer(status: number, body: string): GatewayAnswer {
  if (status === 401 || status === 403) return { kind: "refused_token", saw: `status ${status}` };
  if (status !== 200) return { kind: "other", saw: `status ${status}` };
  const info = parseJson(body);
  if (typeof info !== "object" || info === null || !("projectId" in info)) {
    return { kind: "other", saw: "status 200 without a gateway's answer" };
  }
  return { kind: "info", projectId: typeof info.projectId === "string" ? info.projectId : null };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  if (code === "ECONNREFUSED" || code === "ConnectionRefused") return "connection refused";
  return code ?? "connection failed";
}

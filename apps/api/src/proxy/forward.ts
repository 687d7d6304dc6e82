import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { ApiError } from "../http/problem.ts";
import type { AgentGateway } from "../services/agent-gateway.ts";
import { answerBody } from "./answer-body.ts";
import { type Caller, describeFailure } from "./call.ts";
import { goAhead, isLong } from "./go-ahead.ts";
import { towardsClient, towardsGateway } from "./headers.ts";
import { headTimeoutMs } from "./waiting.ts";

export interface Exchange {
  request: Request;
  requestId: string;
  gateway: AgentGateway;
  /** At the gateway, with its query. */
  path: string;
  /** Where the gateway's root is at the API. */
  place: string;
  /** What the failure is called that looked so. */
  explain: (saw: string) => ApiError;
  /** The client has sent all, so that from now on it may well be quiet. */
  keepOpen: () => void;
  /** Is told of an answer that goes on; what it returns is called at its end. */
  opened: () => () => void;
}

const BODILESS = new Set([204, 205, 304]);

/** Carries a request to the gateway and its answer back, both as they come, neither faster than it is taken. */
export async function forward(exchange: Exchange, caller: Caller): Promise<Response> {
  const answer = await headOfAnswer(exchange, caller);
  const status = answer.statusCode ?? 502;
  const refusal = refusalOf(answer, exchange);
  if (refusal !== null) {
    answer.destroy();
    throw refusal;
  }
  const headers = towardsClient(answer.headers, exchange.place);
  if (exchange.request.method === "HEAD" || BODILESS.has(status)) {
    answer.resume();
    return new Response(null, { status, headers });
  }
  const isStream = (headers.get("content-type") ?? "").startsWith("text/event-stream");
  return new Response(answerBody(answer, isStream ? exchange.opened() : undefined), { status, headers });
}

/** What a gateway says to us rather than to the client. */
export function refusalOf({ statusCode, headers }: IncomingMessage, { explain }: Pick<Exchange, "explain">) {
  if (statusCode === 401) return explain("it refused the token that its project has");
  const isTold = (headers["content-type"] ?? "").startsWith("application/problem+json");
  if (statusCode === 413 && !isTold) return new ApiError("body_too_large", "The gateway takes no body of this length");
  return null;
}

async function headOfAnswer(exchange: Exchange, caller: Caller): Promise<IncomingMessage> {
  const { request } = exchange;
  try {
    return await attempt(exchange, caller);
  } catch (error) {
    // A kept connection may turn out to be closed: then nothing was asked yet.
    const isStale = error instanceof CallError && error.isReused && request.body === null;
    if (!isStale || (request.method !== "GET" && request.method !== "HEAD")) throw error;
    return await attempt(exchange, caller);
  }
}

class CallError extends ApiError {
  readonly isReused: boolean;

  constructor({ code, detail, headers = {} }: ApiError, { isReused, cause }: { isReused: boolean; cause: unknown }) {
    super(code, detail, { headers, cause });
    this.isReused = isReused;
  }
}

function attempt(exchange: Exchange, caller: Caller): Promise<IncomingMessage> {
  const { request, requestId, gateway, path, explain } = exchange;
  const { method, body, signal } = request;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const expects = body !== null && isLong(request.headers.get("content-length"));
  const headers = {
    ...towardsGateway(request.headers, { token: gateway.token, requestId }),
    ...(expects ? { expect: "100-continue" } : {}),
  };
  const call = caller.begin({ baseUrl: gateway.baseUrl, method, path, headers });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isSending = body !== null;
  let isSettled = false;

  const fail = (why: () => ApiError, cause?: unknown) => {
    clearTimeout(timer);
    if (!isSettled) reject(new CallError(why(), { isReused: call.reusedSocket, cause }));
    isSettled = true;
    call.destroy();
  };
  const onGone = () => fail(clientGone);
  const waitForHead = () => {
    isSending = false;
    exchange.keepOpen();
    // A gateway may well answer before it has heard all.
    if (isSettled) return;
    const ms = headTimeoutMs(method, path, request.headers.get("prefer"));
    timer = setTimeout(() => fail(() => explain(`no answer within ${ms / 1000} s`)), ms);
  };

  signal.addEventListener("abort", onGone, { once: true });
  call.once("close", () => signal.removeEventListener("abort", onGone));
  call.on("error", (error) => {
    const saw = describeFailure(error);
    fail(() => explain(isSending ? `${saw} while the body was being sent, which may be too long for it` : saw), error);
  });
  call.once("response", (answer) => {
    clearTimeout(timer);
    // Read on only as the client takes it.
    answer.pause();
    answer.once("end", () => {
      if (!call.writableEnded) call.destroy();
    });
    isSettled = true;
    resolve(answer);
  });
  if (body === null) {
    call.end();
    waitForHead();
  } else {
    // How a body that was not sent to its end ends the call is told by the call itself.
    const ready = expects ? goAhead(call) : Promise.resolve();
    void ready.then(() => (isSettled ? undefined : pipeline(body, call))).then(waitForHead, () => call.destroy());
  }
  if (signal.aborted) onGone();
  return promise;
}

/** Nobody reads it; it only ends what waits. */
export const clientGone = (): ApiError =>
  new ApiError("invalid_request", "The client went away before the gateway answered");

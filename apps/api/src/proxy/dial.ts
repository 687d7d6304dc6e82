import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ApiError } from "../http/problem.ts";
import { offeredProtocols } from "../http/upgrade.ts";
import { type Caller, describeFailure } from "./call.ts";
import { clientGone, type Exchange } from "./forward.ts";
import { towardsGateway } from "./headers.ts";

/** A gateway's side of a WebSocket, or its answer when it takes none. */
export type Dialled =
  | { kind: "open"; answer: IncomingMessage; connection: Duplex; head: Buffer }
  | { kind: "answered"; answer: IncomingMessage };

const HANDSHAKE_MS = 30_000;

/** Asks the gateway for the WebSocket that the client asked for. @throws ApiError of `explain` */
export function dial(exchange: Omit<Exchange, "keepOpen" | "opened">, caller: Caller): Promise<Dialled> {
  const { request, requestId, gateway, path, explain } = exchange;
  const { promise, resolve, reject } = Promise.withResolvers<Dialled>();
  const protocols = offeredProtocols(request.headers);
  const headers = {
    ...towardsGateway(request.headers, { token: gateway.token, requestId }),
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
    ...(protocols.length === 0 ? {} : { "sec-websocket-protocol": protocols.join(", ") }),
  };
  const call = caller.begin({ baseUrl: gateway.baseUrl, method: "GET", path, headers }, { isAlone: true });
  let isSettled = false;
  const over = () => {
    isSettled = true;
    clearTimeout(timer);
    request.signal.removeEventListener("abort", onGone);
  };
  const fail = (why: () => ApiError) => {
    if (isSettled) return;
    over();
    reject(why());
    call.destroy();
  };
  const onGone = () => fail(clientGone);
  const timer = setTimeout(() => fail(() => explain(`no answer within ${HANDSHAKE_MS / 1000} s`)), HANDSHAKE_MS);
  const settle = (dialled: Dialled) => {
    over();
    resolve(dialled);
  };
  request.signal.addEventListener("abort", onGone, { once: true });
  call.on("error", (error) => fail(() => explain(describeFailure(error))));
  call.once("response", (answer) => {
    answer.pause();
    settle({ kind: "answered", answer });
  });
  call.once("upgrade", (answer, connection, head) => {
    connection.pause();
    settle({ kind: "open", answer, connection, head });
  });
  call.end();
  return promise;
}

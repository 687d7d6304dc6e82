import type { JsonObject, RpcErrorShape } from "../../../src/wire/index.ts";
import { TOKENS } from "./tokens.ts";

/** A message as it came over the wire. */
export type Message = {
  jsonrpc: string;
  id?: number | string | null;
  method?: string;
  params?: JsonObject;
  result?: JsonObject;
  error?: RpcErrorShape;
};

export const INITIALIZE = { protocolVersion: 1, clientCapabilities: { elicitation: { form: {} } } };

type SocketOptions = { token?: string; protocols?: string[] };

/** A client of the wire itself: it keeps every frame and answers nothing by itself. */
export async function connectSocket(url: string, { token = TOKENS.main, protocols = ["acp.v1"] }: SocketOptions = {}) {
  const socket = new WebSocket(url.replace("http", "ws"), [...protocols, `bearer.${token}`]);
  const frames: Message[] = [];
  const waiting = new Set<() => void>();
  let ids = 100;
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => {
      resolve({ code, reason });
      for (const wake of waiting) wake();
    });
  });
  socket.addEventListener("message", ({ data }) => {
    frames.push(JSON.parse(String(data)));
    for (const wake of waiting) wake();
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the WebSocket was refused")));
  });

  /** The first frame, from `from` on, that is so; waits for it. */
  async function next(is: (message: Message) => boolean, from = 0): Promise<Message> {
    const deadline = Date.now() + 10_000;
    let looked = from;
    for (;;) {
      for (; looked < frames.length; looked++) {
        const message = frames[looked];
        if (message && is(message)) return message;
      }
      if (Date.now() > deadline) throw new Error(`no such message among ${JSON.stringify(frames.slice(-5))}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(wake, 1000);
        waiting.add(wake);
      });
    }
  }

  const send = (message: unknown) => socket.send(typeof message === "string" ? message : JSON.stringify(message));

  const client = {
    socket,
    frames,
    closed,
    next,
    send,
    notify: (method: string, params: JsonObject) => send({ jsonrpc: "2.0", method, params }),
    /** Sends a request and gives its answer, whatever it is. */
    ask(method: string, params: JsonObject): Promise<Message> {
      ids += 1;
      const id = ids;
      send({ jsonrpc: "2.0", id, method, params });
      return next((message) => message.id === id && message.method === undefined);
    },
    /** Sends a request and gives the result. */
    async call(method: string, params: JsonObject): Promise<JsonObject> {
      const { result, error } = await client.ask(method, params);
      if (!result) throw new Error(`${method}: ${JSON.stringify(error)}`);
      return result;
    },
    [Symbol.dispose]: () => socket.close(),
  };
  return client;
}

/** A connected client that has said who it is. */
export async function initialized(url: string, options: SocketOptions = {}) {
  const client = await connectSocket(url, options);
  await client.call("initialize", INITIALIZE);
  return client;
}

/** A member that must be text. */
export function textOf(object: JsonObject | undefined, name: string): string {
  const value = object?.[name];
  if (typeof value !== "string") throw new Error(`${name} is no text in ${JSON.stringify(object)}`);
  return value;
}

/** The position in the log that an update tells. */
export function seqOf({ params }: { params?: object }): number {
  return Number(/"gateway":\{"seq":(\d+)/.exec(JSON.stringify(params))?.[1]);
}

/** A message in which this text is a whole string. */
export function says(text: string): (message: Message) => boolean {
  return ({ params }) => params !== undefined && JSON.stringify(params).includes(JSON.stringify(text));
}

/** The texts of one kind of chunk, in their order. */
export function texts(frames: Message[], kind = "agent_message_chunk"): string[] {
  return frames.flatMap(({ method, params }) => {
    if (method !== "session/update") return [];
    const update = params?.["update"] as { sessionUpdate: string; content?: { text?: string } };
    return update.sessionUpdate === kind ? [update.content?.text ?? ""] : [];
  });
}

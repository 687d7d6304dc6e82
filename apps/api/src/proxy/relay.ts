import type { Duplex } from "node:stream";
import type { Socket, SocketHandlers } from "../http/sockets.ts";
import { createFrameReader, encodeFrame, FrameError, OPCODE } from "./frames.ts";

export interface RelayOptions {
  /** The gateway's side, paused. */
  connection: Duplex;
  /** What came of it behind the handshake. */
  head: Buffer;
  /** What a client is told whose gateway ended without a word. */
  whyLost: () => { code: number; reason: string };
  /** Called once, when both sides are over. */
  closed: () => void;
  pace?: Partial<RelayPace>;
}

export interface RelayPace {
  /** A side that takes nothing for so long is cut off. */
  stallMs: number;
  /** Between two pings to the gateway. */
  pingMs: number;
}

const USUAL_PACE: RelayPace = { stallMs: 60_000, pingMs: 30_000 };
/** The gateway is not read on while so much waits for the client. */
const TO_CLIENT_BYTES = 1024 * 1024;
/** A client cannot be read slower, so one that sends more than its gateway takes is cut off. */
const TO_GATEWAY_BYTES = 16 * 1024 * 1024;
/** As long as an agent's longest line may be, and what stands around it. */
const MESSAGE_BYTES_MAX = 40 * 1024 * 1024;
const FAREWELL_MS = 2_000;
const TRY_AGAIN = 1013;

/** Joins a client's WebSocket with its gateway's: messages, close codes, and no more memory than the limits. */
export function createRelay({ connection, head, whyLost, closed, pace = {} }: RelayOptions): SocketHandlers {
  const { stallMs, pingMs } = { ...USUAL_PACE, ...pace };
  let client: Socket | undefined;
  let isOver = false;
  let isHeard = true;
  let toClient: ReturnType<typeof setTimeout> | undefined;
  let toGateway: ReturnType<typeof setTimeout> | undefined;
  let pings: ReturnType<typeof setInterval> | undefined;

  /** Ends both sides; the gateway hears why where it can be told. */
  function end(code: number, reason: string): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(toClient);
    clearTimeout(toGateway);
    clearInterval(pings);
    const told = toldGateway(code);
    connection.end(encodeFrame(OPCODE.close, closePayload(told, told === code ? reason : "")));
    // It has to be read for its end to be seen.
    connection.resume();
    setTimeout(() => connection.destroy(), FAREWELL_MS).unref();
    closeClient(client, code, reason);
    closed();
  }

  const reader = createFrameReader({
    messageBytesMax: MESSAGE_BYTES_MAX,
    onMessage(opcode, payload) {
      isHeard = true;
      if (isOver) return;
      if (opcode === OPCODE.text) client?.send(payload.toString());
      else if (opcode === OPCODE.binary) client?.send(payload);
      else if (opcode === OPCODE.ping) connection.write(encodeFrame(OPCODE.pong, payload));
      else if (opcode === OPCODE.close) {
        const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
        end(code, payload.subarray(2).toString());
      }
    },
  });

  function take(chunk: Buffer): void {
    if (isOver) return;
    try {
      reader.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return end(error.code, `the gateway sent ${error.message}`);
    }
    if (client === undefined || client.getBufferedAmount() <= TO_CLIENT_BYTES) return;
    connection.pause();
    toClient ??= setTimeout(() => end(TRY_AGAIN, "too slow: what was sent was not taken in time"), stallMs);
  }

  function lost(): void {
    if (isOver) return;
    const { code, reason } = whyLost();
    end(code, reason);
  }

  connection.on("error", lost);
  connection.on("close", lost);
  connection.on("end", lost);
  connection.on("drain", () => {
    clearTimeout(toGateway);
    toGateway = undefined;
  });

  return {
    open(socket) {
      client = socket;
      if (isOver) return closeClient(socket, 1001, "");
      pings = setInterval(() => {
        // One that is not read on cannot be heard.
        if (!isHeard && toClient === undefined) return end(1011, "the gateway stopped answering");
        isHeard = false;
        connection.write(encodeFrame(OPCODE.ping, Buffer.alloc(0)));
      }, pingMs);
      take(head);
      connection.on("data", take);
      if (toClient === undefined) connection.resume();
    },

    message(data) {
      if (isOver) return;
      const isText = typeof data === "string";
      const frame = encodeFrame(isText ? OPCODE.text : OPCODE.binary, isText ? Buffer.from(data) : data);
      if (connection.write(frame)) return;
      if (connection.writableLength > TO_GATEWAY_BYTES) {
        return end(TRY_AGAIN, "too fast: the gateway does not take what was sent");
      }
      toGateway ??= setTimeout(() => end(TRY_AGAIN, "the gateway does not take what was sent"), stallMs);
    },

    drain() {
      if (client === undefined || toClient === undefined || client.getBufferedAmount() > TO_CLIENT_BYTES) return;
      clearTimeout(toClient);
      toClient = undefined;
      isHeard = true;
      connection.resume();
    },

    close: end,
  };
}

/** 1005, 1006 and 1015 stand for what was never sent; a client that is just gone has gone away. */
const toldGateway = (code: number): number | null =>
  code === 1005 ? null : code === 1006 || code === 1015 ? 1001 : code;

const closePayload = (code: number | null, reason: string): Buffer => {
  if (code === null) return Buffer.alloc(0);
  const payload = Buffer.from(`  ${reason}`).subarray(0, 125);
  payload.writeUInt16BE(code, 0);
  return payload;
};

/** Nothing of it may throw: the codes come from elsewhere. */
function closeClient(client: Socket | undefined, code: number, reason: string): void {
  const isSendable =
    (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000);
  if (isSendable) client?.close(code, Buffer.from(reason).subarray(0, 120).toString());
  else client?.close();
}

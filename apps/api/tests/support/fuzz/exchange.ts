import { connect } from "node:net";
import type { FuzzRequest } from "./request.ts";

export interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
  /** Whether it was a stream that was left before its end. */
  isLeft: boolean;
}

/** An answer, or how the connection ended without one. */
export type Outcome = Answer | "closed" | "timeout";

/** A hang is longer than this on any machine. */
const answerWithinMs = 30_000;
const waitSecondsMax = 100;

/** Sends the request's bytes over a connection of its own and reads the answer; leaves a stream once it has begun. */
export function exchange(port: number, request: FuzzRequest): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const chunks: Buffer[] = [];
    let isOver = false;
    const end = (outcome: Outcome) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.resetAndDestroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => end("timeout"), answerWithinMs + waitedMs(request));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      const answer = readAnswer(Buffer.concat(chunks), request.method, false);
      if (answer !== undefined) end(answer);
    });
    socket.on("end", () => end(readAnswer(Buffer.concat(chunks), request.method, true) ?? "closed"));
    socket.on("close", () => end(readAnswer(Buffer.concat(chunks), request.method, true) ?? "closed"));
    socket.on("error", () => end(readAnswer(Buffer.concat(chunks), request.method, true) ?? "closed"));
    socket.write(bytesOf(request));
    // A body that will never be whole: the sender is done.
    if (request.framing === "too long") socket.end();
  });
}

/** How long the request itself prefers to wait. */
function waitedMs({ headers }: FuzzRequest): number {
  const preferred = headers.filter(([name]) => name === "prefer").map(([, value]) => value);
  const seconds = Number(/wait\s*=\s*"?(\d{1,6})/.exec(preferred.join())?.[1] ?? 0);
  return Math.min(seconds, waitSecondsMax) * 1_000;
}

function bytesOf({ method, target, headers, body, framing }: FuzzRequest): Buffer {
  const announced: (readonly [string, string])[] = [];
  if (body !== undefined) {
    if (framing === "chunked" || framing === "both") announced.push(["transfer-encoding", "chunked"]);
    const lie = { "too short": -3, "too long": 7, both: 5 }[framing as string] ?? 0;
    if (framing !== "chunked") announced.push(["content-length", String(Math.max(0, body.length + lie))]);
  }
  const lines = [...headers, ...announced].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`, "latin1");
  if (body === undefined) return head;
  if (framing !== "chunked" && framing !== "both") return Buffer.concat([head, body]);
  const size = body.length === 0 ? "" : `${body.length.toString(16)}\r\n`;
  return Buffer.concat([head, Buffer.from(size), body, Buffer.from(size === "" ? "0\r\n\r\n" : "\r\n0\r\n\r\n")]);
}

/** The answer in these bytes; undefined while it is not whole. */
function readAnswer(bytes: Buffer, method: string, isEnd: boolean): Answer | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [line = "", ...fields] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1]);
  const sent = bytes.subarray(headEnd + 4);
  if (status === 100) return readAnswer(sent, method, isEnd);
  const headers = new Headers(
    fields.map((field): [string, string] => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon), field.slice(colon + 1).trim()];
    }),
  );
  const answer = (body: Buffer, isLeft = false): Answer => ({ status, headers, body, isLeft });
  const length = headers.get("content-length");
  if (method === "HEAD" || status === 204 || status === 304) return answer(Buffer.alloc(0));
  if (length !== null) return sent.length >= Number(length) ? answer(sent.subarray(0, Number(length))) : undefined;
  if (!headers.has("transfer-encoding")) return isEnd ? answer(sent) : undefined;
  const { body, isWhole } = unchunk(sent);
  const isStream = headers.get("content-type")?.startsWith("text/") ?? false;
  if (isWhole) return answer(body);
  return isStream && body.length > 0 ? answer(body, true) : undefined;
}

function unchunk(bytes: Buffer): { body: Buffer; isWhole: boolean } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (Number.isNaN(size) || next > bytes.length) return { body: Buffer.concat(parts), isWhole: false };
    if (size === 0) return { body: Buffer.concat(parts), isWhole: true };
    parts.push(bytes.subarray(lineEnd + 2, next - 2));
    at = next;
  }
}

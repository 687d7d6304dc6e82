import { GatewayError } from "../gateway-error.ts";
import { rangeOf } from "./byte-range.ts";
import { conditionsOf, isKnown, requireConditions } from "./conditions.ts";
import { type State, settled, tagOf } from "./entry.ts";
import { readAt } from "./file-io.ts";
import type { OpenFile } from "./open-file.ts";

/** Up to here a file is read at once, and again when it changed while it was read. */
const WHOLE_BYTES_MAX = 1024 * 1024;
const CHUNK_BYTES = 128 * 1024;
const TRIES = 3;

/** The answer to GET or HEAD for a file, which it closes. @throws GatewayError precondition_failed, range_not_satisfiable */
export async function fileResponse(request: Request, file: OpenFile, name: string): Promise<Response> {
  let streaming = false;
  try {
    for (let attempt = 1; ; attempt += 1) {
      const state = await settled(() => file.look());
      const answer = plan(request, state, name);
      if (answer.length === 0) return new Response(null, answer);
      if (answer.length > WHOLE_BYTES_MAX) {
        streaming = true;
        return new Response(streamOf(file, answer.start, answer.length), answer);
      }
      const bytes = await readAt(file.fd, answer.start, answer.length);
      const changed = tagOf(file.look()) !== tagOf(state.stat);
      if (!changed) return new Response(bytes, answer);
      // A file that never stands still (a log) is given under a tag that means this answer only.
      if (attempt === TRIES && bytes.byteLength === answer.length) {
        answer.headers.set("etag", `"${crypto.randomUUID()}"`);
        return new Response(bytes, answer);
      }
      if (attempt > TRIES) throw new GatewayError("file_conflict", "the file changes too fast to be read; try again");
    }
  } finally {
    if (!streaming) file.close();
  }
}

type Plan = { status: number; headers: Headers; start: number; length: number };

function plan({ method, headers }: Request, { stat, etag }: State, name: string): Plan {
  const conditions = conditionsOf(headers);
  requireConditions({ ...conditions, ifNoneMatch: null }, stat);
  const size = Number(stat.size);
  const answer = new Headers({
    etag,
    "last-modified": new Date(Number(stat.mtimeMs)).toUTCString(),
    "cache-control": "private, no-cache",
  });
  if (isKnown(conditions, etag) || isUnmodified(headers, stat.mtimeMs)) {
    return { status: 304, headers: answer, start: 0, length: 0 };
  }
  // Files are anybody's: no browser may take one for a page of the gateway.
  answer.set("content-disposition", `attachment; filename*=UTF-8''${encodeName(name)}`);
  answer.set("content-security-policy", "sandbox; default-src 'none'");
  answer.set("x-content-type-options", "nosniff");
  answer.set("content-type", Bun.file(name).type);
  answer.set("accept-ranges", "bytes");
  const range = method === "HEAD" || !mayBeRanged(headers, etag) ? undefined : rangeOf(headers.get("range"), size);
  const { start, end } = range ?? { start: 0, end: size };
  if (range) answer.set("content-range", `bytes ${start}-${end - 1}/${size}`);
  answer.set("content-length", String(end - start));
  return { status: range ? 206 : 200, headers: answer, start, length: method === "HEAD" ? 0 : end - start };
}

/** If-None-Match, where it is given, has decided already. Dates of HTTP are whole seconds. */
function isUnmodified(headers: Headers, mtimeMs: bigint): boolean {
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  return !headers.has("if-none-match") && Number(mtimeMs / 1000n) * 1000 <= since;
}

/** A date is not strong enough to put parts together by. */
function mayBeRanged(headers: Headers, etag: string): boolean {
  const condition = headers.get("if-range");
  return condition === null || condition.trim() === etag;
}

function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Pulled, so that a slow reader holds one chunk. Sent in chunks, so that its breaking off shows. */
function streamOf(file: OpenFile, start: number, length: number): ReadableStream<Uint8Array> {
  let position = start;
  const end = start + length;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const wanted = Math.min(CHUNK_BYTES, end - position);
        const bytes = await readAt(file.fd, position, wanted);
        if (bytes.byteLength < wanted) {
          file.close();
          controller.error(new Error("the file became shorter while it was sent"));
          return;
        }
        controller.enqueue(bytes);
        position += wanted;
        if (position < end) return;
        file.close();
        controller.close();
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
}

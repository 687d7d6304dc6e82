import { rawMember } from "../agents/raw-member.ts";
import { GATEWAY_EVENT_TYPES } from "../wire/index.ts";
import { isObject } from "./json-rpc.ts";

const OWN_TYPES: ReadonlySet<string> = new Set(GATEWAY_EVENT_TYPES);

/** The event is the gateway's own, not an agent's update. */
export function isGatewayEvent(type: string): boolean {
  return OWN_TYPES.has(type);
}

/** Calls `visit` for each event of a piece of the log; `data` is its JSON text. */
export function eachFrame(piece: string, visit: (seq: string, type: string, data: string) => void): void {
  let at = 0;
  while (at < piece.length) {
    const end = piece.indexOf("\n\n", at);
    const stop = end < 0 ? piece.length : end;
    const data = piece.indexOf("data: ", at) + 6;
    const type = piece.indexOf("event: ", at) + 7;
    const id = piece.startsWith("id: ", at) ? piece.slice(at + 4, piece.indexOf("\n", at)) : "0";
    visit(id, piece.slice(type, piece.indexOf("\n", type)), piece.slice(data, stop));
    at = stop + 2;
  }
}

/** The start of each `session/update` of one session. */
export function updatePrefix(sessionId: string): string {
  return `{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":${JSON.stringify(sessionId)},"update":`;
}

/**
 * A `session/update` message made of an event's data: the update's text is cut out, not read. The
 * envelope before it holds no text of an agent, so the first `"update":` is the member's name.
 */
export function updateMessage(prefix: string, seq: string, data: string): string {
  const at = data.indexOf(',"update":');
  if (data.lastIndexOf(',"_meta":', at) >= 0) return messageWithMeta(prefix, seq, data);
  return `${prefix}${data.slice(at + 10, -1)},"_meta":{"gateway":{"seq":${seq}}}}}`;
}

/** An update whose params had a `_meta` of the agent's own: ours is put beside it, as text. */
function messageWithMeta(prefix: string, seq: string, data: string): string {
  return `${prefix}${rawMember(data, "update") ?? "{}"},"_meta":${metaWith(seq, rawMember(data, "_meta") ?? "{}")}}}`;
}

function metaWith(seq: string, text: string): string {
  const meta: unknown = JSON.parse(text);
  if (!isObject(meta) || Object.keys(meta).length === 0) return `{"gateway":{"seq":${seq}}}`;
  if (!("gateway" in meta)) return `${text.slice(0, -1)},"gateway":{"seq":${seq}}}`;
  const own = isObject(meta["gateway"]) ? meta["gateway"] : {};
  return JSON.stringify({ ...meta, gateway: { ...own, seq: Number(seq) } });
}

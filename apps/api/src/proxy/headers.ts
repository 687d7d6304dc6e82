import type { IncomingHttpHeaders } from "node:http";

/** Of one connection only, of who called rather than of what was asked, or ours to say. */
const KEPT_BACK = new Set([
  "authorization",
  "connection",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "origin",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "referer",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-request-id",
]);
const KEPT_BACK_PREFIXES = ["sec-", "x-forwarded-", "x-real-", "access-control-"];

/** What a gateway may say to the client. The rest, such as cookies, would be said in the API's own name. */
const PASSED_BACK = new Set([
  "accept-ranges",
  "allow",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-range",
  "content-type",
  "deprecation",
  "etag",
  "expires",
  "idempotency-replayed",
  "last-modified",
  "preference-applied",
  "retry-after",
  "vary",
  "x-accel-buffering",
]);

/** An agent can write the pages of its sandbox: shown from here, they must not act as pages of the API. */
const AS_FOREIGN = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
};

/** The headers of a request to a gateway, from those of the client's. */
export function towardsGateway(
  sent: Headers,
  { token, requestId }: { token: string; requestId: string },
): Record<string, string> {
  const named = (sent.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  const headers: Record<string, string> = {};
  for (const [name, value] of sent) {
    if (KEPT_BACK.has(name) || named.includes(name)) continue;
    if (KEPT_BACK_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    headers[name] = value;
  }
  return { ...headers, authorization: `Bearer ${token}`, "x-request-id": requestId };
}

/** The headers of the client's answer, from those of the gateway's; `place` is where the gateway's root is here. */
export function towardsClient(answered: IncomingHttpHeaders, place: string): Headers {
  const headers = new Headers(AS_FOREIGN);
  for (const [name, value] of Object.entries(answered)) {
    if (typeof value !== "string" || !(PASSED_BACK.has(name) || name.startsWith("acp-"))) continue;
    headers.set(name, value);
  }
  const location = answered.location === undefined ? null : locationHere(answered.location, place);
  if (location !== null) headers.set("location", location);
  return headers;
}

/** Null for what is not below the gateway: nobody should be led elsewhere from here. */
function locationHere(location: string, place: string): string | null {
  return /^\/(?![/\\])/.test(location) ? place + location : null;
}

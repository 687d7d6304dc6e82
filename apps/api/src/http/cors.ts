const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
const REQUEST_HEADERS =
  "acp-connection-id, acp-session-id, authorization, cache-control, content-type, idempotency-key, if-match, if-modified-since, if-none-match, if-range, if-unmodified-since, last-event-id, prefer, range, x-request-id";
const EXPOSED_HEADERS =
  "accept-ranges, acp-connection-id, acp-session-id, content-disposition, content-range, deprecation, etag, idempotency-replayed, link, location, preference-applied, retry-after, sunset, x-request-id";

/** Whether a browser asks if a page of another origin may send what comes next. */
export function isPreflight({ method, headers }: Request): boolean {
  return method === "OPTIONS" && headers.has("origin") && headers.has("access-control-request-method");
}

export function preflightAnswer(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": REQUEST_HEADERS,
      "access-control-max-age": "600",
    },
  });
}

/** Lets pages of `origin` read the answer. */
export function allowOrigin(headers: Headers, origin: string): void {
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED_HEADERS);
  headers.append("vary", "Origin");
}

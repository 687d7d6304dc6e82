import type { Context, TypedResponse } from "hono";

/** A validator for exactly these bytes. */
export function etagOf(text: string): string {
  return `"${Bun.hash(text).toString(36)}"`;
}

/** Whether If-None-Match names the validator, compared weakly as RFC 9110 has it. */
export function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((known) => known.trim().replace(/^W\//, "") === etag);
}

/** Answers with JSON and its ETag, or with 304 to who has it already. */
export function jsonWithEtag<Body>(
  c: Context,
  body: Body,
  headers?: Readonly<Record<string, string>>,
): Response & TypedResponse<Body, 200, "json"> {
  const text = JSON.stringify(body);
  const etag = etagOf(text);
  const known = isKnown(c.req.raw.headers.get("if-none-match"), etag);
  const response = new Response(known ? null : text, {
    status: known ? 304 : 200,
    headers: { ...headers, "content-type": "application/json", etag },
  });
  // A 304 stands for the same body.
  return response as Response & TypedResponse<Body, 200, "json">;
}

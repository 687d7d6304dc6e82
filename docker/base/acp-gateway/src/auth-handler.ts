import { createHash, timingSafeEqual } from "node:crypto";
import { createMiddleware } from "hono/factory";
import { problem } from "./problem.ts";

/** Lets a request pass only with `Authorization: Bearer TOKEN`. */
export function requireToken(token: string) {
  // Digests have one length, so the comparison tells nothing about the token's.
  const expected = digest(token);
  return createMiddleware(async (c, next) => {
    const presented = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (presented !== undefined && timingSafeEqual(digest(presented), expected)) return next();
    const challenge = presented === undefined ? "" : ', error="invalid_token"';
    return problem(c, "unauthorized", "send the gateway's token as Authorization: Bearer TOKEN", {
      "www-authenticate": `Bearer realm="acp-gateway"${challenge}`,
    });
  });
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

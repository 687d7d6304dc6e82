import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { fingerprintOf, type KeyedRequest } from "../services/idempotency.ts";
import { ApiError } from "./problem.ts";
import type { ApiEnv } from "./router.ts";

const example = '"5c0e8d3a-1b0f-4a52-9d0e-2f6f3f1f8a51"';

/** A Structured Field string, or the same without quotes, as most clients send it. */
const form = /^(?:"(?:[!#-[\]-~]|\\["\\]){1,255}"|[!#-~][!-~]{0,254})$/;

/** What lets a request be sent again without its being done again. */
export const IdempotencyKeyHeader = z.object({
  "idempotency-key": z.string().optional().openapi({
    description:
      "Makes the request safe to send again: for 24 hours the same key with the same request is answered as the first time and nothing is done twice. 1 to 255 visible ASCII characters, in quotes or bare.",
    pattern: form.source,
    example,
  }),
});

/** What tells an answer that was given before, as OpenAPI describes it. */
export const IdempotencyReplayed = z.object({
  "idempotency-replayed": z
    .enum(["true"])
    .optional()
    .openapi({ description: "The Idempotency-Key was known: this is what its first request was answered" }),
});

/**
 * The request with its Idempotency-Key; undefined when it has none.
 * `status` is what it is answered with, `body` what was asked for.
 * @throws ApiError `invalid_request` for a malformed key
 */
export function keyedRequest(c: Context<ApiEnv>, status: number, body?: object): KeyedRequest | undefined {
  const header = c.req.header("idempotency-key");
  if (header === undefined) return undefined;
  const fingerprint = fingerprintOf(c.req.method, c.req.path, body);
  return { caller: c.env.principal.id, key: keyIn(header), fingerprint, status };
}

/** @throws ApiError `invalid_request` */
export function keyIn(header: string): string {
  if (!form.test(header)) throw malformed();
  return header.startsWith('"') ? header.slice(1, -1).replaceAll(/\\(.)/g, "$1") : header;
}

function malformed(): ApiError {
  const violation = {
    path: "idempotency-key",
    code: "invalid_format",
    message: "'idempotency-key' must be one key of 1 to 255 visible ASCII characters, in quotes or bare",
    fix: `Send one such as Idempotency-Key: ${example}`,
  } as const;
  return new ApiError("invalid_request", violation.message, { errors: [violation] });
}

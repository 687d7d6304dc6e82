import { z } from "zod";

export const WAIT_SECONDS_MAX = 3600;

/** A number in a query or header, in digits alone. */
export function wholeNumber(min: number, max: number) {
  return z.preprocess(
    (value) => (typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value),
    z.int().min(min).max(max),
  );
}

export const flag = z.enum(["true", "false"]).transform((value) => value === "true");

export const cursor = z.string().min(1).max(1024).describe("`nextCursor` of the page before");

/** Names between commas. */
export const nameList = z
  .string()
  .max(4096)
  .regex(/^[a-z0-9_]{1,64}(?:,[a-z0-9_]{1,64})*$/)
  .transform((text) => new Set(text.split(",")));

/** RFC 7240; what is not understood in it is to be ignored. */
export const preferHeader = z.string().max(1024).describe("`wait=SECONDS` does what the parameter wait does");

/** Seconds a caller is ready to wait, by `?wait=` or by `Prefer: wait=`; undefined where it said nothing. */
export function waitSeconds(query: number | undefined, prefer: string | undefined): number | undefined {
  if (query !== undefined) return query;
  const preferred = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})/i.exec(prefer ?? "")?.[1];
  return preferred === undefined ? undefined : Math.min(Number(preferred), WAIT_SECONDS_MAX);
}

/** A Structured Field string (`"5c0e8d3a"`) or bare: both are the same key. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,257}$/)
  .transform((text) => text.replace(/^"(.+)"$/, "$1"))
  .refine((key) => key.length <= 255, { error: "an Idempotency-Key has 1 to 255 characters" })
  .describe("With the same key and body a prompt is taken once, however often it is sent");

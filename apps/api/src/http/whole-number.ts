import { z } from "@hono/zod-openapi";

/**
 * A query parameter that is a whole number in plain digits. What JavaScript would also read as a number,
 * such as an empty text, `0x10` or `1e3`, is refused.
 */
export function wholeNumber({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}) {
  return z
    .string()
    .regex(/^\d{1,16}$/, "it must be a whole number in digits")
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .openapi({ type: "integer", minimum: min, maximum: max });
}

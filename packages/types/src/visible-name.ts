import { z } from "zod";

const visible = /[^\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** What people call things by: 1 to 100 characters, of which at least one can be seen. */
export const visibleName = z
  .string()
  .trim()
  .min(1, { abort: true })
  .max(100)
  .regex(/^\P{Cc}*$/u, "must not have control characters")
  .regex(visible, "needs at least one visible character");

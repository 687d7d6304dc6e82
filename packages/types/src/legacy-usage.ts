import { z } from "zod";

/** How often one caller used one deprecated call. */
export const LegacyUse = z
  .object({
    /** Whose token it was; `local` without tokens. */
    caller: z.string(),
    /** The program, as its User-Agent names it first; `other` for all beyond the first thousand. */
    client: z.string(),
    /** Such as `POST /api/projects`. */
    route: z.string(),
    outcome: z.enum(["accepted", "refused"]),
    count: z.int(),
    firstUsedAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
  })
  .meta({ id: "LegacyUse" });
export type LegacyUse = z.infer<typeof LegacyUse>;

export const LegacyUsageReport = z
  .object({
    /** Since when uses are counted. */
    since: z.iso.datetime(),
    /** From when they are refused. */
    sunsetAt: z.iso.datetime(),
    usage: z.array(LegacyUse),
  })
  .meta({ id: "LegacyUsageReport" });
export type LegacyUsageReport = z.infer<typeof LegacyUsageReport>;

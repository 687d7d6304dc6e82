import type { Operation } from "@agentpod/types";
import { z } from "@hono/zod-openapi";

const secondsMax = 100;

/** RFC 7240: how long the caller would rather wait for the work than be told that it began. */
export const WaitHeader = z.object({
  prefer: z
    .string()
    .max(200)
    .optional()
    .openapi({
      description: `wait=N: answer when the work is done, or after N seconds (at most ${secondsMax})`,
      example: "wait=30",
    }),
});

/** What says how long the caller's preference let the answer wait, as OpenAPI describes it. */
export const WaitApplied = z.object({
  "preference-applied": z
    .string()
    .optional()
    .openapi({ description: "wait=N, when the request preferred it: at most how long the answer waited (RFC 7240)" }),
});

/** Seconds of `wait=N` in a Prefer header; 0 without one. A preference that makes no sense is ignored, as the RFC asks. */
export function waitSeconds(prefer: string | undefined): number {
  const match = /(?:^|[,\s])wait\s*=\s*"?(\d{1,6})/i.exec(prefer ?? "");
  return match ? Math.min(Number(match[1]), secondsMax) : 0;
}

/** Resolves with the operation as it stands once it is done or the signal aborts. */
export type WaitFor = (operationId: string, signal: AbortSignal) => Promise<Operation | null>;

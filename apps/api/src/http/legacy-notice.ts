import type { LegacyUsage } from "../services/legacy-usage.ts";
import { ANONYMOUS } from "./principal.ts";
import type { ApiEnv } from "./router.ts";
import { sunsetNotice } from "./sunset-notice.ts";

/** Completes the answer, whatever it is, to a request that used what is deprecated. */
export type LegacyNotice = (request: Request, env: ApiEnv["Bindings"], response: Response) => void;

/** Says in the answer's headers when it goes away, and counts who still uses it. */
export function createLegacyNotice({
  sunsetAt,
  usage,
}: {
  sunsetAt: Date;
  usage: Pick<LegacyUsage, "count">;
}): LegacyNotice {
  const headers = Object.entries(sunsetNotice(sunsetAt));
  return (request, { principal, route }, response) => {
    for (const [name, value] of headers) response.headers.set(name, value);
    // Who may not call at all uses nothing, and could make up clients without end.
    if (principal === ANONYMOUS || route === undefined) return;
    usage.count({
      caller: principal.id,
      userAgent: request.headers.get("user-agent"),
      route: `${request.method} ${route.pattern}`,
      outcome: response.status < 400 ? "accepted" : "refused",
    });
  };
}

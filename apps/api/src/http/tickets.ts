import { createHash, randomBytes } from "node:crypto";
import type { Ticket } from "@agentpod/types";
import type { Principal, Scope } from "./principal.ts";
import { ApiError } from "./problem.ts";

const LIFE_MS = 60_000;
/** The oldest goes when there are more. */
const TICKETS_MAX = 1024;
const SCOPES: readonly Scope[] = ["agents:use", "projects:read"];
const PARAMETER = "ticket=";

export type Tickets = ReturnType<typeof createTickets>;

/**
 * Tickets stand for the token in the URL of one GET or WebSocket of one path: of a browser's EventSource, or a
 * file that is opened in a tab, which send no headers. They are good once, for a minute, and until the API ends.
 */
export function createTickets({ now }: { now: () => Date }) {
  const tickets = new Map<string, { path: string; principal: Principal; expiresAt: number }>();

  return {
    issue({ id, scopes }: Principal, path: string): Ticket {
      const time = now().getTime();
      for (const [key, old] of tickets) {
        if (old.expiresAt > time && tickets.size < TICKETS_MAX) break;
        tickets.delete(key);
      }
      const ticket = randomBytes(24).toString("base64url");
      const principal = { id, scopes: new Set(SCOPES.filter((scope) => scopes.has(scope))) };
      tickets.set(digest(ticket), { path, principal, expiresAt: time + LIFE_MS });
      return { ticket, expiresAt: new Date(time + LIFE_MS).toISOString() };
    },

    /** Who calls by the ticket of a path with its query, which is used up by it; undefined where there is none. */
    redeem(target: string): Principal | ApiError | undefined {
      const shown = parametersOf(target).find(isTicket);
      if (shown === undefined) return undefined;
      const key = digest(shown.slice(PARAMETER.length));
      const found = tickets.get(key);
      tickets.delete(key);
      if (found !== undefined && found.expiresAt > now().getTime() && found.path === target.split("?", 1)[0]) {
        return found.principal;
      }
      return new ApiError(
        "unauthorized",
        "The ticket was used, has expired or is for another path; get another with POST /api/tickets",
        { headers: { "www-authenticate": 'Bearer realm="agentpod", error="invalid_token"' } },
      );
    },
  };
}

/** A path with its query, but for the ticket, which is for the API alone. */
export function withoutTicket(target: string): string {
  const [path = ""] = target.split("?", 1);
  const parameters = parametersOf(target);
  const kept = parameters.filter((parameter) => !isTicket(parameter));
  if (kept.length === parameters.length) return target;
  return kept.length === 0 ? path : `${path}?${kept.join("&")}`;
}

const isTicket = (parameter: string): boolean => parameter.startsWith(PARAMETER);

function parametersOf(target: string): string[] {
  const start = target.indexOf("?");
  return start < 0 ? [] : target.slice(start + 1).split("&");
}

/** Kept in place of the ticket, so that finding it takes a time that tells nothing. */
const digest = (ticket: string): string => createHash("sha256").update(ticket).digest("base64");

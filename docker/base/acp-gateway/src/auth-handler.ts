import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createBudget } from "./budget.ts";
import { GatewayError } from "./gateway-error.ts";
import { isUpgrade, offeredProtocols } from "./http/websockets.ts";
import { type Caller, type Limits, type NamedToken, type Scope, SCOPES } from "./types.ts";

const COOKIE = "agentpod_gateway";
const COOKIE_SECONDS = 12 * 3600;
const TICKET_MS = 60_000;
const TICKETS_MAX = 1024;
const PRESENTED_LENGTH_MAX = 4096;
const WRONG = {
  token: "the token is not one of the gateway's; send it as Authorization: Bearer TOKEN",
  ticket: "the ticket was used or has expired; get another with POST /v1/tickets",
  cookie: "the cookie has expired or its token has changed; get another with POST /v1/login",
};
/** Who calls where no token is asked for. */
const ANYONE: Caller = { name: "anyone", scopes: new Set(SCOPES) };

type AuthDeps = {
  tokens: readonly NamedToken[];
  limits: Pick<Limits, "requestsPerMinute" | "wrongTokensPerMinute">;
  /** Milliseconds since 1970. */
  now: () => number;
};

export type AuthHandler = ReturnType<typeof createAuthHandler>;

/**
 * Knows who calls: by `Authorization: Bearer`, by the subprotocol `bearer.TOKEN` of a WebSocket, by a
 * single-use `?ticket=` of a GET, or by the cookie of `POST /v1/login`.
 */
export function createAuthHandler({ tokens, limits, now }: AuthDeps) {
  const { requestsPerMinute, wrongTokensPerMinute } = limits;
  const tickets = new Map<string, { caller: Caller; expiresAt: number }>();
  const budgets = new Map<string, ReturnType<typeof createBudget>>();
  const guesses = createBudget(wrongTokensPerMinute, now);

  function byToken(text: string): Caller | undefined {
    const presented = sha256(text);
    let found: NamedToken | undefined;
    // All are compared, and digests have one length, so the time tells nothing.
    for (const token of tokens) if (timingSafeEqual(token.sha256, presented)) found ??= token;
    return found && { name: found.name, scopes: found.scopes };
  }

  function byTicket(text: string): Caller | undefined {
    const key = sha256(text).toString("base64");
    const ticket = tickets.get(key);
    tickets.delete(key);
    return ticket && ticket.expiresAt > now() ? ticket.caller : undefined;
  }

  function byCookie(text: string): Caller | undefined {
    const [name = "", expires = "", signature = ""] = text.split("~");
    const token = tokens.find((candidate) => candidate.name === name);
    if (token === undefined || !(Number(expires) > now())) return undefined;
    const isOurs = timingSafeEqual(sha256(signature), sha256(sign(token, expires)));
    return isOurs ? { name, scopes: token.scopes } : undefined;
  }

  function known(request: Request, url: URL): Caller {
    const { headers, method } = request;
    const authorization = headers.get("authorization");
    if (authorization !== null) {
      const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
      return required(
        token === undefined || token.length > PRESENTED_LENGTH_MAX ? undefined : byToken(token),
        WRONG.token,
      );
    }
    const protocol = isUpgrade(headers) && offeredProtocols(headers).find((name) => name.startsWith("bearer."));
    if (protocol) return required(byToken(protocol.slice("bearer.".length)), WRONG.token);
    const ticket = method === "GET" ? url.searchParams.get("ticket") : null;
    if (ticket !== null) return required(byTicket(ticket), WRONG.ticket);
    const cookie = cookieOf(headers);
    return required(cookie === undefined ? undefined : byCookie(cookie), cookie === undefined ? null : WRONG.cookie);
  }

  /**
   * What was presented is right, or this throws. `wrong` is what is to be said of it, null when nothing
   * was presented. What is right is never refused, as everybody may come from one proxy's address.
   */
  function required(caller: Caller | undefined, wrong: string | null): Caller {
    if (caller !== undefined) return caller;
    const seconds = wrong === null || wrongTokensPerMinute === 0 ? 0 : guesses.take();
    if (seconds > 0) {
      throw new GatewayError("too_many_requests", "too many wrong tokens were sent; one that is right is let in", {
        retryAfterSeconds: seconds,
      });
    }
    const challenge = wrong === null ? "" : ', error="invalid_token"';
    throw new GatewayError("unauthorized", wrong ?? "send the gateway's token as Authorization: Bearer TOKEN", {
      headers: { "www-authenticate": `Bearer realm="acp-gateway"${challenge}` },
    });
  }

  function spend(name: string): void {
    let budget = budgets.get(name);
    if (budget === undefined) budgets.set(name, (budget = createBudget(requestsPerMinute, now)));
    const seconds = budget.take();
    if (seconds === 0) return;
    throw new GatewayError("too_many_requests", `the token ${name} may send ${requestsPerMinute} requests a minute`, {
      retryAfterSeconds: seconds,
    });
  }

  return {
    /** @throws GatewayError unauthorized, too_many_requests */
    authenticate(request: Request, url: URL): Caller {
      const caller = tokens.length === 0 ? ANYONE : known(request, url);
      if (requestsPerMinute > 0) spend(caller.name);
      return caller;
    },

    /** A ticket that lets its holder do one GET or open one WebSocket within a minute. */
    issueTicket(caller: Caller, scopes: readonly Scope[] = [...caller.scopes]): { ticket: string; expiresAt: string } {
      const missing = scopes.find((scope) => !caller.scopes.has(scope));
      if (missing !== undefined) throw new GatewayError("forbidden", `your token does not have the scope ${missing}`);
      const ticket = randomBytes(24).toString("base64url");
      const expiresAt = now() + TICKET_MS;
      for (const [key, old] of tickets) {
        if (old.expiresAt > now() && tickets.size < TICKETS_MAX) break;
        tickets.delete(key);
      }
      tickets.set(sha256(ticket).toString("base64"), {
        caller: { name: caller.name, scopes: new Set(scopes) },
        expiresAt,
      });
      return { ticket, expiresAt: new Date(expiresAt).toISOString() };
    },

    /** Value of Set-Cookie that stands for the caller's token for twelve hours, in this browser only. */
    cookieFor(caller: Caller, isSecure: boolean): string {
      const expires = String(now() + COOKIE_SECONDS * 1000);
      const token = tokens.find(({ name }) => name === caller.name);
      const value = token === undefined ? "" : `${token.name}~${expires}~${sign(token, expires)}`;
      return cookieText(value, COOKIE_SECONDS, isSecure);
    },

    clearedCookie: (isSecure: boolean): string => cookieText("", 0, isSecure),
  };
}

/** @throws GatewayError forbidden */
export function requireScope({ name, scopes }: Caller, scope: Scope): void {
  if (scopes.has(scope)) return;
  throw new GatewayError("forbidden", `this needs the scope ${scope}, which the token ${name} does not have`, {
    headers: { "www-authenticate": `Bearer realm="acp-gateway", error="insufficient_scope", scope="${scope}"` },
  });
}

/** Bound to the token, so that a cookie ends with it. */
function sign({ name, sha256: secret }: NamedToken, expires: string): string {
  return createHmac("sha256", secret).update(`cookie ${name} ${expires}`).digest("base64url");
}

function cookieOf(headers: Headers): string | undefined {
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const [name, value] = pair.split("=", 2);
    if (name?.trim() === COOKIE) return value?.trim();
  }
  return undefined;
}

function cookieText(value: string, seconds: number, isSecure: boolean): string {
  return `${COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

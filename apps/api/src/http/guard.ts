import { timingSafeEqual } from "node:crypto";
import { ANONYMOUS, type Principal, SCOPES } from "./principal.ts";
import { ApiError } from "./problem.ts";
import { isUpgrade, offeredToken } from "./upgrade.ts";

export interface GuardOptions {
  /** The one token that may do everything. Without it only this machine may call. */
  token?: string | undefined;
  /** Web origins besides the API's own whose pages may call, such as `https://pods.example.com`. */
  allowedOrigins?: readonly string[] | undefined;
}

export interface Guard {
  /** Who calls, or why the call is refused whatever it asks for. */
  admit: (headers: Headers, origin: string | null, method: string) => Principal | ApiError;
  /** Whether pages of this origin, which is not the API's own, may read the answers. */
  allowsOrigin: (origin: string) => boolean;
}

const loopbackHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/** Decides who may call at all, from the headers alone. */
export function createGuard({ token, allowedOrigins = [] }: GuardOptions): Guard {
  const allowed = new Set(allowedOrigins);
  return token === undefined ? localGuard(allowed) : tokenGuard(token, allowed);
}

/**
 * Without a token every program of this machine may call, but no web page except the API's own: neither
 * by a name that was made to point here (Host) nor from its own origin. That an origin is on this machine
 * says nothing for it: sandboxes publish their pages on other ports of the loopback.
 */
function localGuard(allowed: ReadonlySet<string>): Guard {
  const local: Principal = { id: "local", scopes: new Set(SCOPES) };
  let lastHost = "127.0.0.1";
  return {
    allowsOrigin: (origin) => allowed.has(origin),
    admit(headers, origin, method) {
      const host = headers.get("host");
      if (host !== lastHost) {
        if (host === null || !loopbackHost.test(host)) return hostNotAllowed();
        lastHost = host;
      }
      if (origin === null) return isSentForAnotherPage(headers, method) ? originNotAllowed() : local;
      return isOriginOf(host, origin) || allowed.has(origin) ? local : originNotAllowed();
    },
  };
}

function isOriginOf(host: string, origin: string): boolean {
  const own = host.toLowerCase();
  return origin === `http://${own}` || origin === `https://${own}`;
}

/** A browser that leaves Origin out may still tell that another site's page sends this. */
function isSentForAnotherPage(headers: Headers, method: string): boolean {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return false;
  const site = headers.get("sec-fetch-site");
  return site === "cross-site" || site === "same-site";
}

/** Longest token that the configuration takes. */
const TOKEN_BYTES = 512;

function tokenGuard(token: string, allowed: ReadonlySet<string>): Guard {
  const holder: Principal = { id: "token", scopes: new Set(SCOPES) };
  // Compared at one length whatever was sent, so that the time tells nothing; a token has no zero byte.
  const size = Math.max(TOKEN_BYTES, token.length);
  const expected = Buffer.alloc(size);
  expected.write(token, "latin1");
  const sent = Buffer.alloc(size);
  const isToken = (text: string): boolean => {
    if (text.length > size) return false;
    sent.fill(0);
    sent.write(text, "latin1");
    return timingSafeEqual(sent, expected);
  };
  return {
    allowsOrigin: (origin) => allowed.has(origin),
    admit(headers) {
      const authorization = headers.get("authorization");
      if (authorization === null) {
        return isUpgrade(headers) && isToken(offeredToken(headers) ?? "") ? holder : ANONYMOUS;
      }
      if (authorization.startsWith("Bearer ") && isToken(authorization.slice(7))) return holder;
      const [, credentials = ""] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
      return isToken(credentials) ? holder : ANONYMOUS;
    },
  };
}

function hostNotAllowed(): ApiError {
  return new ApiError(
    "host_not_allowed",
    "Without an API token only 127.0.0.1, localhost and [::1] are served; use one of them, or set API_TOKEN",
  );
}

export function originNotAllowed(): ApiError {
  return new ApiError(
    "origin_not_allowed",
    "Only the API's own pages and those of the origins in ALLOWED_ORIGINS may call it",
  );
}

import { createHash, timingSafeEqual } from "node:crypto";
import { ANONYMOUS, type Principal, SCOPES } from "./principal.ts";
import { ApiError } from "./problem.ts";

export interface GuardOptions {
  /** The one token that may do everything. Without it only this machine may call. */
  token?: string | undefined;
  /** Further web origins whose pages may call, such as `https://pods.example.com`. */
  allowedOrigins?: readonly string[] | undefined;
}

export interface Guard {
  /** Who calls, or why the call is refused whatever it asks for. */
  admit: (headers: Headers, origin: string | null) => Principal | ApiError;
  /** Whether pages of this origin may read the answers. */
  allowsOrigin: (origin: string) => boolean;
}

const LOOPBACK = String.raw`(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?`;
const loopbackHost = new RegExp(`^${LOOPBACK}$`, "i");
const loopbackOrigin = new RegExp(`^https?://${LOOPBACK}$`, "i");

/** Decides who may call at all, from the headers alone. */
export function createGuard({ token, allowedOrigins = [] }: GuardOptions): Guard {
  const allowed = new Set(allowedOrigins);
  return token === undefined ? localGuard(allowed) : tokenGuard(token, allowed);
}

/**
 * Without a token every program of this machine may call, but no web page of elsewhere: neither by a
 * name that was made to point here (Host) nor from its own origin.
 */
function localGuard(allowed: ReadonlySet<string>): Guard {
  const local: Principal = { id: "local", scopes: new Set(SCOPES) };
  const allowsOrigin = (origin: string) => loopbackOrigin.test(origin) || allowed.has(origin);
  let lastHost = "127.0.0.1";
  return {
    allowsOrigin,
    admit(headers, origin) {
      const host = headers.get("host");
      if (host !== lastHost) {
        if (host === null || !loopbackHost.test(host)) return hostNotAllowed();
        lastHost = host;
      }
      return origin === null || allowsOrigin(origin) ? local : originNotAllowed();
    },
  };
}

function tokenGuard(token: string, allowed: ReadonlySet<string>): Guard {
  const holder: Principal = { id: "token", scopes: new Set(SCOPES) };
  const expected = digest(token);
  return {
    allowsOrigin: (origin) => allowed.has(origin),
    admit(headers) {
      const [, sent] = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "") ?? [];
      // Digests have one length, so that comparing takes the same time whatever was sent.
      return sent !== undefined && timingSafeEqual(digest(sent), expected) ? holder : ANONYMOUS;
    },
  };
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function hostNotAllowed(): ApiError {
  return new ApiError(
    "host_not_allowed",
    "Without an API token only 127.0.0.1, localhost and [::1] are served; use one of them, or set API_TOKEN",
  );
}

export function originNotAllowed(): ApiError {
  return new ApiError("origin_not_allowed", "Pages of this origin may not call the API; open it from this machine");
}

import { createHash } from "node:crypto";
import { createApp } from "../../src/app.ts";
import { createAuthHandler } from "../../src/auth-handler.ts";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { createBodyReader } from "../../src/http/body.ts";
import type { Surface } from "../../src/http/surface.ts";
import { createRequestMetrics } from "../../src/metrics/requests.ts";
import { createAccessRoutes } from "../../src/routes/access.ts";
import { type Limits, type NamedToken, type Scope, SCOPES } from "../../src/types.ts";

export const MAIN = "the-main-token-of-tests";
export const READER = "a-token-that-only-reads";

export function namedToken(name: string, text: string, scopes: readonly Scope[]): NamedToken {
  return { name, sha256: createHash("sha256").update(text).digest(), scopes: new Set(scopes) };
}

type Options = {
  limits?: Partial<Limits>;
  hosts?: string[];
  origins?: string[];
  tokens?: NamedToken[];
  readBodyMs?: number;
  now?: () => number;
};

/** The HTTP of the gateway, listening, with the given surfaces and those for access. */
export function serveApp(surfaces: readonly Surface[], options: Options = {}) {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const tokens = options.tokens ?? [namedToken("main", MAIN, SCOPES), namedToken("reader", READER, ["read"])];
  const now = options.now ?? Date.now;
  const auth = createAuthHandler({ tokens, limits, now });
  const metrics = createRequestMetrics();
  let isClosing = false;
  const app = createApp({
    config: { hosts: options.hosts ?? [], origins: options.origins ?? [], limits },
    surfaces: [{ routes: createAccessRoutes(auth) }, ...surfaces],
    auth,
    bodies: createBodyReader(limits.bodiesBytes, options.readBodyMs),
    metrics,
    isClosing: () => isClosing,
  });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: app.fetch,
    websocket: app.sockets.websocket,
    maxRequestBodySize: 1024 * 1024 * 1024,
    idleTimeout: 30,
  });
  const port = server.port ?? 0;
  return {
    app,
    metrics,
    port,
    url: `http://127.0.0.1:${port}`,
    beginClosing: () => void (isClosing = true),
    call: (path: string, init: RequestInit & { token?: string | null } = {}) => {
      const { token = MAIN, ...rest } = init;
      const headers = new Headers(init.headers);
      if (token !== null) headers.set("authorization", `Bearer ${token}`);
      return fetch(`http://127.0.0.1:${port}${path}`, { ...rest, headers });
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

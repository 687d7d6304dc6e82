import { createBodyReader } from "../../src/http/body.ts";
import { createInvoke } from "../../src/http/invoke.ts";
import { createRouter } from "../../src/http/router.ts";
import type { Surface } from "../../src/http/surface.ts";
import { createSocketDispatcher, isUpgrade } from "../../src/http/websockets.ts";
import { asGatewayError, problem } from "../../src/problem.ts";
import { type Caller, SCOPES } from "../../src/types.ts";

const MiB = 1024 * 1024;
const caller: Caller = { name: "test", scopes: new Set(SCOPES) };

/** Serves one part of the gateway on a free port, to a caller that may do anything. */
export function serveSurface(surface: Surface) {
  const invoke = createInvoke({ bodies: createBodyReader(64 * MiB), bodyBytes: 16 * MiB });
  const router = createRouter(surface.routes ?? [], invoke);
  const sockets = createSocketDispatcher(surface.sockets ?? [], { sockets: 512, messageBytes: MiB });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    maxRequestBodySize: 80 * MiB,
    websocket: sockets.websocket,
    async fetch(request, server) {
      const url = new URL(request.url);
      try {
        const socket = isUpgrade(request.headers) ? sockets.find(url.pathname) : undefined;
        if (socket) return await sockets.upgrade(socket, { request, url, caller, server });
        const incoming = { request, url, caller, requestId: "r", keepOpen: () => server.timeout(request, 0) };
        return await router.answer(request, incoming, () => undefined);
      } catch (error) {
        return problem(asGatewayError(error, {}), "r");
      }
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port ?? 0,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
      await surface.close?.();
    },
  };
}

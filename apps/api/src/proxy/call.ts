import { Agent, type ClientRequest, type OutgoingHttpHeaders, request } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";

export interface GatewayCall {
  baseUrl: URL;
  method: string;
  /** With its query. It is sent as it is. */
  path: string;
  headers: OutgoingHttpHeaders;
}

export type Caller = ReturnType<typeof createCaller>;

/**
 * Sends requests to gateways, and to them alone. Over node:http because `fetch` would hand even a loopback
 * request, token and all, to the proxy of the environment.
 */
export function createCaller() {
  const agent = new Agent({ keepAlive: true });
  const secureAgent = new SecureAgent({ keepAlive: true });
  return {
    /** The request's head; the caller writes the body and ends it. `isAlone` takes a connection of its own. */
    begin({ baseUrl, ...options }: GatewayCall, { isAlone = false } = {}): ClientRequest {
      const isSecure = baseUrl.protocol === "https:";
      const where = { hostname: baseUrl.hostname, port: baseUrl.port || (isSecure ? 443 : 80), ...options };
      if (isSecure) return secureRequest({ ...where, agent: isAlone ? false : secureAgent });
      return request({ ...where, agent: isAlone ? false : agent });
    },

    close(): void {
      agent.destroy();
      secureAgent.destroy();
    },
  };
}

/** What a failed connection looked like, fit for an error message. */
export function describeFailure(error: unknown): string {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
  if (code === "ECONNREFUSED" || code === "ConnectionRefused") return "connection refused";
  if (code === "ECONNRESET" || code === "EPIPE") return "it closed the connection";
  return code ?? "connection failed";
}

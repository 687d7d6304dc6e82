import { isIP } from "node:net";
import { hostname } from "node:os";
import { GatewayError } from "../gateway-error.ts";

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
const EXPOSED =
  "ETag, Location, Retry-After, X-Request-Id, Acp-Connection-Id, Acp-Session-Id, Content-Range, Accept-Ranges, Content-Disposition, Preference-Applied";

type OriginDeps = { hosts: readonly string[]; origins: readonly string[] };

/** Which names the gateway answers to, and pages of which origins may call it. */
export function createOriginCheck({ hosts, origins }: OriginDeps) {
  const names = new Set([...hosts, hostname().toLowerCase()]);
  const suffixes = hosts.filter((host) => host.startsWith("*.")).map((host) => host.slice(1));
  const allowed = new Set(origins);

  function isKnownHost(host: string): boolean {
    const name = host.replace(/:\d*$/, "").toLowerCase();
    if (names.has("*") || names.has(name) || name === "localhost" || name.endsWith(".localhost")) return true;
    return isIP(name.replaceAll(/^\[|\]$/g, "")) !== 0 || suffixes.some((suffix) => name.endsWith(suffix));
  }

  function isAllowed(headers: Headers): boolean {
    const origin = headers.get("origin") ?? "";
    // Whether TLS ended before us cannot be seen, so either scheme of our own name is our own origin.
    const isOwn = /^https?:\/\//.test(origin) && origin.replace(/^https?:\/\//, "") === headers.get("host");
    return isOwn || allowed.has(origin);
  }

  return {
    /**
     * A name of its own keeps pages away that point their domain at this address.
     * @throws GatewayError host_not_allowed
     */
    requireHost(headers: Headers): void {
      const host = headers.get("host") ?? "";
      if (isKnownHost(host)) return;
      throw new GatewayError(
        "host_not_allowed",
        "call the gateway by its address, or add the name to AGENTPOD_GATEWAY_HOSTS",
      );
    },

    /** @throws GatewayError origin_not_allowed for a page of elsewhere */
    requireOrigin(headers: Headers): void {
      if (headers.has("origin") && !isAllowed(headers)) {
        throw new GatewayError("origin_not_allowed", "add the page's origin to AGENTPOD_GATEWAY_ORIGINS");
      }
    },

    /** The answer to a preflight, where the request is one; only after `requireOrigin`. */
    preflight(request: Request): Response | null {
      const { headers, method } = request;
      if (method !== "OPTIONS" || !headers.has("origin") || !headers.has("access-control-request-method")) return null;
      return new Response(null, {
        status: 204,
        headers: {
          "access-control-allow-methods": METHODS,
          "access-control-allow-headers": headers.get("access-control-request-headers") ?? "",
          "access-control-max-age": "600",
        },
      });
    },

    /** Lets the page that asked read the answer, refusals included. */
    share(answer: Headers, request: Headers): void {
      answer.append("vary", "Origin");
      const origin = request.get("origin");
      if (origin === null || !isAllowed(request)) return;
      answer.set("access-control-allow-origin", origin);
      answer.set("access-control-allow-credentials", "true");
      answer.set("access-control-expose-headers", EXPOSED);
    },
  };
}

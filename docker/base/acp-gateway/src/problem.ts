import { ERRORS, GatewayError } from "./gateway-error.ts";
import { logLine } from "./log.ts";

/** An `application/problem+json` answer (RFC 9457) with a stable `code`. */
export function problem(error: GatewayError, requestId: string): Response {
  const { code, message, details } = error;
  const { status, title } = ERRORS[code];
  const { errors, rpc, retryAfterSeconds, headers } = details;
  const body = { type: "about:blank", title, status, detail: message, code, error: title, requestId, errors, rpc };
  return Response.json(body, {
    status,
    headers: {
      ...headers,
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(Math.ceil(retryAfterSeconds)) }),
      "content-type": "application/problem+json",
    },
  });
}

/** What a caller is told of anything thrown: of what was not meant for callers, nothing but that it is in the log. */
export function asGatewayError(error: unknown, where: Record<string, unknown>): GatewayError {
  if (error instanceof GatewayError) return error;
  logLine("request failed", {
    ...where,
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  return new GatewayError("internal", "the gateway could not answer; its log says why");
}

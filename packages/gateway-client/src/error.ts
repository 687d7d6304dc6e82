import { rpcError } from "@agentpod/acp-gateway/wire";
import { z } from "zod";

const violation = z.looseObject({
  path: z.string(),
  code: z.string(),
  message: z.string(),
  fix: z.string().optional(),
});

const problem = z.looseObject({
  code: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
  errors: z.array(violation).optional(),
  rpc: rpcError.optional(),
});

/**
 * The gateway refused or could not be reached. `code` is the gateway's (`session_not_found`, …), or one of the
 * client's own: `unreachable` (no answer), `not_a_gateway` (an answer of something else). The message holds no token.
 */
export class GatewayClientError extends Error {
  readonly code: string;
  /** HTTP status; null without an answer. */
  readonly status: number | null;
  /** What is wrong with the request, all of it. */
  readonly errors: readonly z.infer<typeof violation>[];
  /** The JSON-RPC error of the agent, when it was the agent that refused. */
  readonly rpc: z.infer<typeof rpcError> | null;
  /** After how long another try makes sense; null when the gateway did not say. */
  readonly retryAfterMs: number | null;

  constructor(
    code: string,
    message: string,
    details: Partial<Pick<GatewayClientError, "status" | "errors" | "rpc" | "retryAfterMs" | "cause">> = {},
  ) {
    super(message, { cause: details.cause });
    this.name = "GatewayClientError";
    this.code = code;
    this.status = details.status ?? null;
    this.errors = details.errors ?? [];
    this.rpc = details.rpc ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }
}

/** The error that an answer stands for, which is read to its end. */
export async function errorOf(response: Response): Promise<GatewayClientError> {
  const { status } = response;
  const body = problem.safeParse(await response.json().catch(() => null));
  if (!body.success)
    return new GatewayClientError("not_a_gateway", `the answer ${status} is not a gateway's`, { status });
  const { code, title, detail, errors, rpc } = body.data;
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new GatewayClientError(code, detail ?? title ?? code, {
    status,
    errors: errors ?? [],
    rpc: rpc ?? null,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : null,
  });
}

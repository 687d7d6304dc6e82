import type { z } from "zod";
import { errorOf, GatewayClientError } from "./error.ts";

export type GatewayClientOptions = {
  /** Where the gateway answers, such as `http://127.0.0.1:4097`, or the path of a proxy to it. */
  url: string;
  token: string;
  /** How long an answer's head may take; a prompt that is waited for has that on top. Default: 30 s. */
  timeoutMs?: number;
};

export type Call = {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Record<string, string | number | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** On top of the usual time. */
  extraMs?: number;
};

export type Transport = ReturnType<typeof createTransport>;

/** Sends one request and reads one answer. Nothing is repeated. */
export function createTransport({ url, token, timeoutMs = 30_000 }: GatewayClientOptions) {
  const base = url.replace(/\/+$/, "");

  async function send(path: string, call: Call = {}): Promise<Response> {
    const { method = "GET", query, body, headers = {}, signal, extraMs = 0 } = call;
    const head = AbortSignal.timeout(timeoutMs + extraMs);
    const response = await fetch(withQuery(base + path, query), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
      signal: signal ? AbortSignal.any([signal, head]) : head,
    }).catch((cause: unknown) => {
      if (signal?.aborted) throw cause;
      throw new GatewayClientError("unreachable", `no answer from the gateway: ${reasonOf(cause)}`, { cause });
    });
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  return {
    send,

    /** The answer's JSON, checked. */
    read: async <Schema extends z.ZodType>(schema: Schema, path: string, call: Call = {}): Promise<z.infer<Schema>> => {
      const response = await send(path, call);
      const parsed = schema.safeParse(await response.json().catch(() => null));
      if (parsed.success) return parsed.data;
      const where = parsed.error.issues[0]?.path.join(".") ?? "";
      throw new GatewayClientError(
        "not_a_gateway",
        `the answer to ${call.method ?? "GET"} ${path} is not as promised at "${where}"`,
        {
          status: response.status,
        },
      );
    },

    /** A stream has no end to wait for: only its head is timed. */
    open: async (path: string, call: Call & { signal: AbortSignal }): Promise<Response> => {
      const head = new AbortController();
      const timer = setTimeout(() => head.abort(new Error("timed out")), timeoutMs);
      try {
        const response = await fetch(withQuery(base + path, call.query), {
          headers: { authorization: `Bearer ${token}`, ...call.headers },
          redirect: "manual",
          signal: AbortSignal.any([call.signal, head.signal]),
        }).catch((cause: unknown) => {
          if (call.signal.aborted) throw cause;
          throw new GatewayClientError("unreachable", `no answer from the gateway: ${reasonOf(cause)}`, { cause });
        });
        if (!response.ok) throw await errorOf(response);
        return response;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function withQuery(target: string, query: Call["query"] = {}): URL {
  const url = new URL(target);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  return url;
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

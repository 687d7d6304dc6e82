import type { Context } from "hono";

const PROBLEMS = {
  unauthorized: { status: 401, title: "A token is needed" },
  not_found: { status: 404, title: "Not found" },
  agent_not_found: { status: 404, title: "Agent not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  internal: { status: 500, title: "Internal error" },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** An `application/problem+json` answer (RFC 9457) with a stable `code`. */
export function problem(c: Context, code: ProblemCode, detail: string, headers: Record<string, string> = {}) {
  const { status, title } = PROBLEMS[code];
  return c.json({ type: "about:blank", title, status, detail, code, error: title }, status, {
    ...headers,
    "content-type": "application/problem+json",
  });
}

/** The handler for every other method of a path that has some. */
export function onlyMethods(...methods: string[]) {
  const allow = methods.join(", ");
  return (c: Context) => problem(c, "method_not_allowed", `use ${allow}`, { allow });
}

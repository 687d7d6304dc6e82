import { Problem, type ProblemCode } from "@agentpod/types";
import type { z } from "zod";
import { PROBLEMS } from "./problem.ts";

/** A JSON answer, as OpenAPI describes it. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A JSON body that a request must have. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

/** What can be wrong with such a body. */
export const bodyProblems = [
  "invalid_request",
  "validation_failed",
  "unsupported_media_type",
  "body_too_large",
] as const satisfies readonly ProblemCode[];

type StatusOf<Code extends ProblemCode> = (typeof PROBLEMS)[Code]["status"];
type ProblemAnswer = { description: string; content: { "application/problem+json": { schema: typeof Problem } } };

/** Which problems a route can answer with, one entry per status. */
export function problems<Code extends ProblemCode>(...codes: Code[]): Record<StatusOf<Code>, ProblemAnswer> {
  const byStatus = new Map<number, Code[]>();
  for (const code of codes) byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  const entries = [...byStatus].map(([status, list]) => [
    status,
    { description: list.join(", "), content: { "application/problem+json": { schema: Problem } } },
  ]);
  return Object.fromEntries(entries) as Record<StatusOf<Code>, ProblemAnswer>;
}

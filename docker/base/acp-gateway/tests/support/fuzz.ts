import { type Document, operationsOf } from "../../../../../apps/api/tests/support/fuzz/document.ts";
import { exchange } from "../../../../../apps/api/tests/support/fuzz/exchange.ts";
import { makeRequest } from "../../../../../apps/api/tests/support/fuzz/request.ts";
import { createRandom } from "../../../../../apps/api/tests/support/random.ts";
import { createAnswerCheck, withoutSockets } from "./declared-answers.ts";

type FuzzOptions = {
  port: number;
  document: Document;
  token: string;
  seed: number;
  requests: number;
  concurrency: number;
  /** Ids that a path can be about. */
  ids: (path: string) => readonly string[];
  /** Operations left out, as `METHOD /path`. */
  without?: readonly string[];
};

const FAILURES_MAX = 10;
/** What Bun answers by itself to requests that are no HTTP, or to such that break off. */
const OF_BROKEN_HTTP = new Set([400, 408, 413, 431, 501, 505]);

/** Sends requests made from the document, most with something wrong, and says which answers were not as declared. */
export async function fuzzGateway({
  port,
  document,
  token,
  seed,
  requests,
  concurrency,
  ids,
  without = [],
}: FuzzOptions) {
  const operations = operationsOf(withoutSockets(document)).filter(
    ({ method, path }) => !without.includes(`${method} ${path}`),
  );
  const check = createAnswerCheck(document);
  const failures: string[] = [];
  const statuses: Record<string, number> = {};
  let next = 0;

  async function one(index: number): Promise<void> {
    // Each request has a sequence of its own, so that it is the same whatever the others came to.
    const random = createRandom(Math.imul(seed + index, 2_654_435_761) ^ seed);
    const operation = random.pick(operations);
    const sampler = { document, random, ids: { inPath: ids, forField: () => [] } };
    const made = makeRequest(sampler, operation);
    const request = { ...made, headers: [...made.headers, ["authorization", `Bearer ${token}`] as const] };
    const outcome = await exchange(port, request);
    const status = typeof outcome === "string" ? outcome : String(outcome.status);
    statuses[status] = (statuses[status] ?? 0) + 1;
    const complaints = [...complaintsOf()];
    if (complaints.length === 0 || failures.length >= FAILURES_MAX) return;
    const told = typeof outcome === "string" ? outcome : outcome.body.toString().slice(0, 400);
    failures.push(
      `${index}: ${complaints.join("; ")}\n  ${request.method} ${request.target.slice(0, 300)} ${JSON.stringify(request.headers).slice(0, 300)}\n  ${request.body?.toString("latin1").slice(0, 300)}\n  -> ${told}`,
    );

    function* complaintsOf(): Generator<string> {
      if (outcome === "timeout") yield "no answer in time";
      if (outcome === "closed" && !request.isBroken) yield "closed without an answer";
      if (typeof outcome === "string") return;
      if (outcome.status >= 500 && ![502, 503].includes(outcome.status)) yield `status ${outcome.status}`;
      if (request.isBroken && OF_BROKEN_HTTP.has(outcome.status)) return;
      if (outcome.isLeft || (outcome.headers.get("content-type") ?? "").startsWith("text/event-stream")) return;
      const { status, headers, body } = outcome;
      const target = request.isOddPath ? null : request.target;
      yield* check({ method: request.method, target, status, headers, body: body.toString() });
    }
  }

  const worker = async () => {
    while (next < requests) {
      next += 1;
      await one(next - 1);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { failures, statuses };
}

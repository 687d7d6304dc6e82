import { createRandom } from "../random.ts";
import { createCheck } from "./check.ts";
import { type Document, operationsOf } from "./document.ts";
import { exchange, type Outcome } from "./exchange.ts";
import { collectIds, type Ids } from "./ids.ts";
import { type FuzzRequest, makeRequest } from "./request.ts";

export interface FuzzOptions {
  url: string;
  seed: number;
  /** Which of the seed's requests is the first. */
  from: number;
  requests: number;
  /** At a time. */
  concurrency: number;
  /** Sandboxes that there are at most, about; the rest is deleted in between. */
  projectsMax: number;
}

export interface FuzzReport {
  /** One of each kind, at most a few: what was sent, what came back, and what is wrong with it. */
  failures: string[];
  failureCount: number;
  sent: number;
  /** How many answers had each status. */
  statuses: Record<string, number>;
  /** Operations that never succeeded, which then were not tried in earnest. */
  withoutSuccess: string[];
}

const batchSize = 250;
const kindsShown = 20;

/** Sends requests made from the API's own description, and checks each answer against it. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { url, seed, from, requests, concurrency, projectsMax } = options;
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  const operations = operationsOf(document);
  const check = createCheck(document);
  const port = Number(new URL(url).port);
  const report: FuzzReport = { failures: [], failureCount: 0, sent: 0, statuses: {}, withoutSuccess: [] };
  const succeeded = new Set<string>();
  const kinds = new Set<string>();

  async function one(index: number, ids: Ids): Promise<void> {
    // Each request has a sequence of its own, so that it is the same whatever the others came to.
    const random = createRandom(Math.imul(seed + index, 2_654_435_761) ^ seed);
    const operation = random.pick(operations);
    const request = makeRequest({ document, random, ids }, operation);
    const outcome = await exchange(port, request);
    report.sent += 1;
    const status = typeof outcome === "string" ? outcome : String(outcome.status);
    report.statuses[status] = (report.statuses[status] ?? 0) + 1;
    if (status.startsWith("2") && request.method === operation.method)
      succeeded.add(`${operation.method} ${operation.path}`);
    const complaints = check(request, outcome);
    if (complaints.length === 0) return;
    report.failureCount += 1;
    const kind = `${operation.method} ${operation.path} ${complaints[0]}`;
    if (kinds.has(kind) || kinds.size >= kindsShown) return;
    kinds.add(kind);
    report.failures.push(show(index, request, outcome, complaints));
  }

  const last = from + requests;
  for (let done = from; done < last; done += batchSize) {
    await trimProjects(url, projectsMax);
    const ids = await collectIds(url, operations);
    let next = done;
    const end = Math.min(done + batchSize, last);
    const worker = async () => {
      while (next < end) {
        next += 1;
        await one(next - 1, ids);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
  }
  report.withoutSuccess = operations
    .map(({ method, path }) => `${method} ${path}`)
    .filter((name) => !succeeded.has(name));
  return report;
}

/** Deletes the oldest projects beyond so many. */
export async function trimProjects(url: string, max: number): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/api/projects?limit=200`);
    const { projects } = (await response.json()) as { projects: { id: string }[] };
    const surplus = projects.slice(max);
    if (surplus.length === 0) return;
    const headers = { prefer: "wait=5" };
    await Promise.all(surplus.map(({ id }) => fetch(`${url}/api/projects/${id}`, { method: "DELETE", headers })));
  }
}

const shownMax = 600;

function show(index: number, request: FuzzRequest, outcome: Outcome, complaints: readonly string[]): string {
  const { method, target, headers, body, framing } = request;
  const answer =
    typeof outcome === "string"
      ? outcome
      : `${outcome.status} ${outcome.headers.get("content-type") ?? ""} ${outcome.body.toString().slice(0, shownMax)}`;
  return [
    `request ${index}: ${complaints.slice(0, 3).join("; ")}`,
    `  ${JSON.stringify(`${method} ${target}`).slice(0, shownMax)}`,
    `  ${JSON.stringify(headers).slice(0, shownMax)}`,
    ...(body === undefined ? [] : [`  ${framing}: ${JSON.stringify(body.toString("latin1")).slice(0, shownMax)}`]),
    `  -> ${answer}`,
  ].join("\n");
}

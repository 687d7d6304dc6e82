import { randomBytes, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BareAnswer } from "./bare-server.ts";
import { choosePlacement } from "./support/cpus.ts";
import { addProject, createDataFolder } from "./support/data.ts";
import { readOptions } from "./support/options.ts";
import { type Comparison, report } from "./support/report.ts";
import { alternate } from "./support/rounds.ts";
import { runBench } from "./support/run-bench.ts";
import { startApi, startServer } from "./support/server.ts";
import { load, type LoadRequest, requireWrk } from "./support/wrk.ts";

interface Route {
  name: string;
  method: "GET" | "POST";
  path: string;
  body?: string;
  fresh?: boolean;
  /** Absent for what is only told. */
  ratioMin?: number;
}

const connections = 48;
const projectId = randomUUID();
const resolve = {
  method: "POST",
  path: "/api/images/resolve",
  body: JSON.stringify({ flavorId: "js", addonIds: ["code-server"] }),
} as const;
const routes: readonly Route[] = [
  { name: "GET /api/flavors", method: "GET", path: "/api/flavors", ratioMin: 0.85 },
  { name: "GET /api/projects/:id", method: "GET", path: `/api/projects/${projectId}`, ratioMin: 0.6 },
  { name: "POST /api/images/resolve", ...resolve, ratioMin: 0.6 },
  // What an answer costs that could not be remembered.
  { name: "POST /api/images/resolve, each body new", ...resolve, fresh: true },
];

const options = readOptions("bun src/api.ts [--json] [--check] [--rounds N] [--seconds N]", { rounds: 15, seconds: 1 });
requireWrk();
const placement = choosePlacement();

async function compareAll(token: string | undefined, signal: AbortSignal): Promise<Comparison[]> {
  using data = createDataFolder((db) => addProject(db, projectId));
  const env = { RUNTIME: "process", ...(token === undefined ? {} : { API_TOKEN: token }) };
  await using api = await startApi({ dataDir: data.path, env, cpu: placement.server });
  const comparisons: Comparison[] = [];
  for (const route of routes) {
    const asked: LoadRequest = {
      url: `${api.url}${route.path}`,
      method: route.method,
      body: route.body,
      fresh: route.fresh,
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    };
    const rates = await compare(asked, { folder: data.path, signal });
    const name = `${route.name}, ${token === undefined ? "no token" : "token"}`;
    const aim = route.ratioMin === undefined ? {} : { aim: { atLeast: route.ratioMin } };
    comparisons.push({ name, unit: "requests/s", ...rates, ...aim });
  }
  return comparisons;
}

/** Requests a second of a request to the API, and of the same to a bare server that gives the same answer. */
async function compare(asked: LoadRequest, { folder, signal }: { folder: string; signal: AbortSignal }) {
  const answer = await ask(asked);
  const answerFile = join(folder, "bare-answer.json");
  writeFileSync(answerFile, JSON.stringify(answer));
  await using bare = await startServer({ command: ["bench/src/bare-server.ts", answerFile], cpu: placement.server });
  const askedBare = { ...asked, url: `${bare.url}${new URL(asked.url).pathname}` };
  if (!Bun.deepEquals(await ask(askedBare), answer)) throw new Error(`${asked.url}: the answers differ`);

  const rate = async (request: LoadRequest) =>
    (await load(request, { connections, seconds: options.seconds, cpu: placement.client })).requestsPerSecond;
  await rate(asked);
  await rate(askedBare);
  return await alternate(
    { rounds: options.rounds, signal },
    { measured: () => rate(asked), reference: () => rate(askedBare) },
  );
}

async function ask({ url, method, body, headers }: LoadRequest): Promise<BareAnswer> {
  const typed: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  const init = { method, headers: { ...headers, ...typed }, ...(body === undefined ? {} : { body }) };
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  return { status: response.status, contentType: response.headers.get("content-type") ?? "", body: text };
}

await runBench(async (signal) => {
  const token = randomBytes(32).toString("hex");
  const comparisons = [...(await compareAll(undefined, signal)), ...(await compareAll(token, signal))];
  report("The API with all its middleware, against a bare Bun.serve that gives the same answer", comparisons, options, [
    `${options.rounds} rounds of ${options.seconds} s each, ${connections} connections`,
    placement.client === undefined
      ? "server and load share all CPUs"
      : `server on CPU ${placement.server}, load on CPU ${placement.client}`,
  ]);
});

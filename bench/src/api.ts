import { randomBytes, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BareAnswer } from "./bare-server.ts";
import { choosePlacement } from "./support/cpus.ts";
import { addProject, createDataFolder } from "./support/data.ts";
import { readOptions } from "./support/options.ts";
import { type Comparison, report } from "./support/report.ts";
import { alternate } from "./support/rounds.ts";
import { startApi, startServer } from "./support/server.ts";
import { load, type LoadRequest, requireWrk } from "./support/wrk.ts";

const connections = 48;
const projectId = randomUUID();
const requests = [
  { method: "GET", path: "/api/flavors", aim: 0.85 },
  { method: "GET", path: `/api/projects/${projectId}`, shown: "/api/projects/:id", aim: 0.6 },
  {
    method: "POST",
    path: "/api/images/resolve",
    body: JSON.stringify({ flavorId: "js", addonIds: ["code-server"] }),
    aim: 0.6,
  },
] as const;
type BenchRequest = (typeof requests)[number];

const options = readOptions("bun src/api.ts [--json] [--check] [--rounds N] [--seconds N]", { rounds: 7, seconds: 3 });
requireWrk();
const placement = choosePlacement();

async function compareAll(token: string | undefined): Promise<Comparison[]> {
  using data = createDataFolder((db) => addProject(db, projectId));
  const env = { RUNTIME: "process", ...(token === undefined ? {} : { API_TOKEN: token }) };
  await using api = await startApi({ dataDir: data.path, env, cpu: placement.server });
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const comparisons: Comparison[] = [];
  for (const request of requests) {
    const compared = await compare(request, { apiUrl: api.url, headers, folder: data.path });
    const name = `${request.method} ${"shown" in request ? request.shown : request.path}`;
    comparisons.push({ name: `${name}, ${token === undefined ? "no token" : "token"}`, ...compared });
  }
  return comparisons;
}

/** One route of the API against a bare server that gives the same answer, started for it alone. */
async function compare(
  request: BenchRequest,
  { apiUrl, headers, folder }: { apiUrl: string; headers: Record<string, string>; folder: string },
): Promise<Omit<Comparison, "name">> {
  const { method, path, aim } = request;
  const body = "body" in request ? request.body : undefined;
  const asked: LoadRequest = { url: `${apiUrl}${path}`, method, body, headers };
  const answer = await ask(asked);
  const answerFile = join(folder, "bare-answer.json");
  writeFileSync(answerFile, JSON.stringify(answer));
  await using bare = await startServer({ command: ["bench/src/bare-server.ts", answerFile], cpu: placement.server });
  const askedBare = { ...asked, url: `${bare.url}${path}` };
  if (JSON.stringify(await ask(askedBare)) !== JSON.stringify(answer)) throw new Error(`${path}: the answers differ`);

  const run = async (target: LoadRequest, seconds: number) =>
    (await load(target, { connections, seconds, cpu: placement.client })).requestsPerSecond;
  await run(asked, options.seconds);
  await run(askedBare, options.seconds);
  const { measured, reference } = await alternate(options.rounds, {
    measured: () => run(asked, options.seconds),
    reference: () => run(askedBare, options.seconds),
  });
  return { unit: "requests/s", measured, reference, aim: { atLeast: aim } };
}

async function ask({ url, method, body, headers }: LoadRequest): Promise<BareAnswer> {
  const contentType: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...contentType },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  return { status: response.status, contentType: response.headers.get("content-type") ?? "", body: text };
}

const comparisons = [...(await compareAll(undefined)), ...(await compareAll(randomBytes(32).toString("hex")))];
report("The API with all its middleware, against a bare Bun.serve that gives the same answer", comparisons, options, [
  `${options.rounds} rounds of ${options.seconds} s each, ${connections} connections`,
  placement.client === undefined
    ? "server and load share all CPUs"
    : `server on CPU ${placement.server}, load on CPU ${placement.client}`,
]);

import { choosePlacement } from "./support/cpus.ts";
import { addProjects, createDataFolder } from "./support/data.ts";
import { readOptions } from "./support/options.ts";
import { type Comparison, report } from "./support/report.ts";
import { alternate } from "./support/rounds.ts";
import { startApi } from "./support/server.ts";
import { load, requireWrk } from "./support/wrk.ts";

const counts = { small: 100, large: 100_000 };
const pageLength = 50;
const ratioMax = 1.3;
const views = [
  { name: "all projects", query: "" },
  { name: "status=stopped", query: "&status=stopped" },
];

const options = readOptions("bun src/list.ts [--json] [--check] [--rounds N] [--seconds N]", { rounds: 7, seconds: 2 });
requireWrk();
const placement = choosePlacement();

/** Follows nextCursor, as a client does, to a page that starts after at least `skipped` projects. */
async function deepPage(url: string, query: string, skipped: number): Promise<string> {
  const step = Math.min(200, skipped);
  let cursor = "";
  for (let passed = 0; passed < skipped; passed += step) {
    const response = await fetch(`${url}/api/projects?limit=${step}${query}${cursor}`);
    const { nextCursor } = (await response.json()) as { nextCursor: string | null };
    if (nextCursor === null) throw new Error(`the list ends after ${passed + step} projects`);
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
  return cursor;
}

async function expectFullPage(url: string): Promise<void> {
  const { projects } = (await (await fetch(url)).json()) as { projects: unknown[] };
  // A short page would be faster for a reason that has nothing to do with the table's size.
  if (projects.length !== pageLength) throw new Error(`${url} gave ${projects.length} projects`);
}

async function medianMs(url: string): Promise<number> {
  const request = { url, method: "GET", headers: {} } as const;
  return (await load(request, { connections: 1, seconds: options.seconds, cpu: placement.client })).medianMs;
}

using smallData = createDataFolder((db) => addProjects(db, counts.small));
using largeData = createDataFolder((db) => addProjects(db, counts.large));
const env = { RUNTIME: "process" };
await using small = await startApi({ dataDir: smallData.path, env, cpu: placement.server });
await using large = await startApi({ dataDir: largeData.path, env, cpu: placement.server });

async function compare(name: string, query: string, cursors: { small: string; large: string }): Promise<Comparison> {
  const path = `/api/projects?limit=${pageLength}${query}`;
  const urls = { small: `${small.url}${path}${cursors.small}`, large: `${large.url}${path}${cursors.large}` };
  for (const url of [urls.small, urls.large]) {
    await expectFullPage(url);
    await medianMs(url);
  }
  const { measured, reference } = await alternate(options.rounds, {
    measured: () => medianMs(urls.large),
    reference: () => medianMs(urls.small),
  });
  return { name, unit: "ms", measured, reference, aim: { atMost: ratioMax } };
}

const comparisons: Comparison[] = [];
for (const { name, query } of views) {
  comparisons.push(await compare(`${name}, first page`, query, { small: "", large: "" }));
  const skipped = { small: 10, large: counts.large / 2 };
  const cursors = {
    small: await deepPage(small.url, query, skipped.small),
    large: await deepPage(large.url, query, skipped.large),
  };
  comparisons.push(await compare(`${name}, page in the middle`, query, cursors));
}
report(
  `A page of GET /api/projects?limit=${pageLength} with ${counts.large} projects, against ${counts.small}`,
  comparisons,
  options,
  [`${options.rounds} rounds of ${options.seconds} s each; median time of an answer on one connection`],
);

import { choosePlacement } from "./support/cpus.ts";
import { addProjects, createDataFolder } from "./support/data.ts";
import { readOptions } from "./support/options.ts";
import { type Comparison, report } from "./support/report.ts";
import { alternate } from "./support/rounds.ts";
import { runBench } from "./support/run-bench.ts";
import { startApi } from "./support/server.ts";
import { load, requireWrk } from "./support/wrk.ts";

const count = { small: 100, large: 100_000 };
const pageLength = 50;
const ratioMax = 1.3;
const views = [
  { name: "all projects", filter: "" },
  { name: "status=stopped", filter: "&status=stopped" },
];
/** How many projects come before the page. In the short list a full page must still follow. */
const places = [
  { name: "first page", skipped: { small: 0, large: 0 } },
  { name: "page in the middle", skipped: { small: 10, large: count.large / 2 } },
];

const options = readOptions("bun src/list.ts [--json] [--check] [--rounds N] [--seconds N]", { rounds: 9, seconds: 1 });
requireWrk();
const placement = choosePlacement();

/** The page's URL, found as a client finds it: by following nextCursor. */
async function pageUrl(apiUrl: string, filter: string, skipped: number): Promise<string> {
  const step = Math.min(200, skipped);
  let cursor = "";
  for (let passed = 0; passed < skipped; passed += step) {
    const { nextCursor } = await getPage(`${apiUrl}/api/projects?limit=${step}${filter}${cursor}`);
    if (nextCursor === null) throw new Error(`the list ends after ${passed + step} projects`);
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
  const url = `${apiUrl}/api/projects?limit=${pageLength}${filter}${cursor}`;
  const { projects } = await getPage(url);
  // A short page is fast for a reason that has nothing to do with the length of the list.
  if (projects.length !== pageLength) throw new Error(`${url} gave ${projects.length} projects`);
  return url;
}

async function getPage(url: string): Promise<{ projects: unknown[]; nextCursor: string | null }> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.json()) as { projects: unknown[]; nextCursor: string | null };
}

async function medianMs(url: string): Promise<number> {
  const request = { url, method: "GET", headers: {} } as const;
  return (await load(request, { connections: 1, seconds: options.seconds, cpu: placement.client })).medianMs;
}

async function compare(urls: { small: string; large: string }, signal: AbortSignal) {
  await medianMs(urls.small);
  await medianMs(urls.large);
  return await alternate(
    { rounds: options.rounds, signal },
    { measured: () => medianMs(urls.large), reference: () => medianMs(urls.small) },
  );
}

await runBench(async (signal) => {
  using smallData = createDataFolder((db) => addProjects(db, count.small));
  using largeData = createDataFolder((db) => addProjects(db, count.large));
  const env = { RUNTIME: "process" };
  await using small = await startApi({ dataDir: smallData.path, env, cpu: placement.server });
  await using large = await startApi({ dataDir: largeData.path, env, cpu: placement.server });
  const comparisons: Comparison[] = [];
  for (const view of views) {
    for (const place of places) {
      const urls = {
        small: await pageUrl(small.url, view.filter, place.skipped.small),
        large: await pageUrl(large.url, view.filter, place.skipped.large),
      };
      const name = `${view.name}, ${place.name}`;
      comparisons.push({ name, unit: "ms", ...(await compare(urls, signal)), aim: { atMost: ratioMax } });
    }
  }
  const title = `A page of GET /api/projects?limit=${pageLength} with ${count.large} projects, against ${count.small}`;
  report(title, comparisons, options, [
    `${options.rounds} rounds of ${options.seconds} s each; median time of an answer on one connection`,
  ]);
});

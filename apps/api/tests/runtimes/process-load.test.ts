import { afterEach, beforeEach, expect, test } from "bun:test";
import type { SandboxSpec } from "../../src/runtimes/runtime.ts";
import { idsOf } from "../support/ids-of.ts";
import { createWorld, pidOf, projectFolders, runSteps, systemTable, type World } from "../support/process-world.ts";
import type { ProcessTable } from "../../src/runtimes/process/process-table.ts";

const COUNT = 200;

let world: World;
let scans = 0;
const servers: { stop: (force: boolean) => Promise<void> }[] = [];

beforeEach(async () => {
  const table = systemTable();
  scans = 0;
  const processTable: ProcessTable = {
    identify: table.identify,
    startOf: table.startOf,
    scan: () => {
      scans += 1;
      return table.scan();
    },
  };
  // A child that weighs next to nothing; the test answers in its place.
  world = await createWorld({ command: ["/bin/sh", "-c", "while :; do sleep 60; done", "sandbox"], processTable });
});
afterEach(async () => {
  await world.end();
  await Promise.all(servers.splice(0).map((server) => server.stop(true)));
});

function answerFor({ projectId, gatewayToken, ports }: SandboxSpec): void {
  const fetch = (request: Request) =>
    request.headers.get("authorization") === `Bearer ${gatewayToken}`
      ? Response.json({ projectId })
      : new Response(null, { status: 401 });
  servers.push(Bun.serve({ hostname: "127.0.0.1", port: ports[0]?.hostPort ?? 0, fetch }));
}

test(`${COUNT} deploys, then ${COUNT} removals at once lose and double nothing`, async () => {
  const specs = await Promise.all(Array.from({ length: COUNT }, () => world.spec()));
  specs.forEach(answerFor);
  const startedAt = performance.now();
  await Promise.all(specs.map((spec) => runSteps(world.runtime.steps.deploy, spec)));
  const deployedAt = performance.now();
  // A deploy of something new has nothing to look for.
  expect(scans).toBe(0);

  const pids = await Promise.all(specs.map((spec) => pidOf(world, spec)));
  expect(new Set(pids).size).toBe(COUNT);
  const marked = (await systemTable().scan()).filter(({ command }) => command.includes(world.instanceId));
  expect(marked.map(({ pid }) => pid).toSorted((a, b) => a - b)).toEqual(pids.toSorted((a, b) => a - b));
  expect(await idsOf(world.runtime)).toHaveLength(COUNT);
  const states = await Promise.all(specs.map(({ projectId }) => world.runtime.inspect(projectId)));
  expect(states.every(({ state }) => state === "running")).toBe(true);

  const before = performance.now();
  await Promise.all(specs.map((spec) => runSteps(world.runtime.steps.remove, spec)));
  const removedAt = performance.now();
  expect(await world.processes()).toEqual([]);
  expect(await projectFolders(world)).toEqual([]);
  const perProject = (ms: number) => (ms / COUNT).toFixed(1);
  console.log(`a deploy took ${perProject(deployedAt - startedAt)} ms, a removal ${perProject(removedAt - before)} ms`);
}, 120_000);

import { parseArgs } from "node:util";
import { createRandom } from "../support/random.ts";
import { createCoolifyWorld } from "./coolify-world.ts";
import { createDockerWorld } from "./docker-world.ts";
import { runScenario } from "./scenario.ts";
import type { World } from "./world.ts";

const usage = "usage: npm run chaos -- [--runtime coolify|docker] [--runs N] [--seed N] [--restart-engine]";
const { values } = parseArgs({
  options: {
    runtime: { type: "string", default: "coolify" },
    runs: { type: "string", default: "20" },
    seed: { type: "string" },
    "restart-engine": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const runs = Number(values.runs);
const firstSeed =
  values.seed === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000 : Number(values.seed);
const isKnown = values.runtime === "coolify" || values.runtime === "docker";
if (values.help || !isKnown || !(runs > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error(usage);
  process.exit(values.help ? 0 : 2);
}

const makeWorld = async (seed: number): Promise<World> =>
  values.runtime === "docker"
    ? await createDockerWorld({ restartsEngine: values["restart-engine"] })
    : await createCoolifyWorld(seed);

let passed = 0;
let failed = 0;
for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
  const startedAt = performance.now();
  const world = await makeWorld(seed);
  const { actions, problems, output } = await runScenario(world, createRandom(seed));
  await world.close();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (problems.length === 0) {
    passed += 1;
    console.log(`seed ${seed}: ok, ${actions.length} actions, ${seconds} s`);
    continue;
  }
  failed += 1;
  console.log(`seed ${seed}: FAILED after ${seconds} s`);
  for (const action of actions) console.log(`  ${action}`);
  for (const problem of problems) console.log(`  problem: ${problem}`);
  console.log(output.slice(-20_000));
  console.log(`again: npm run chaos -- --runtime ${values.runtime} --runs 1 --seed ${seed}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

import { parseArgs } from "node:util";
import { newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { createRandom } from "../support/random.ts";
import { buildImage, imagesHere, removeImages } from "./images.ts";
import { tryCombination } from "./try-combination.ts";
import { validCombinations } from "./valid-combinations.ts";

const usage = "usage: npm run combinations -- [--runs N] [--seed N] [--flavors js,...] [--addons gui,...]";
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "20" },
    seed: { type: "string" },
    flavors: { type: "string" },
    addons: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
const seed =
  values.seed === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000 : Number(values.seed);
if (values.help || !Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error(usage);
  process.exit(values.help ? 0 : 2);
}

const dataDir = newDataDir();
const api = await startApi({ dataDir, env: { RUNTIME: "docker", HEALTH_TIMEOUT_MS: "120000" } });
const random = createRandom(seed);
const before = await imagesHere();
let passed = 0;
let failed = 0;
try {
  const left = await validCombinations(api.url, { flavors: values.flavors, addons: values.addons });
  if (left.length === 0) throw new Error("no combination of these flavors and addons is valid");
  if (left.length < runs) console.log(`there are only ${left.length} combinations`);
  console.log(`seed ${seed}`);
  while (passed + failed < runs && left.length > 0) {
    const [combination] = left.splice(random.below(left.length), 1);
    if (combination === undefined) break;
    const name = [combination.flavorId, ...combination.addonIds].join(" + ");
    const startedAt = performance.now();
    const problems: string[] = [];
    let ports: string[] = [];
    try {
      await buildImage(combination);
      const outcome = await tryCombination({ url: api.url, dataDir }, combination);
      problems.push(...outcome.problems);
      ports = outcome.ports;
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
    // The next one needs the room.
    await removeImages(before);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (problems.length === 0) passed += 1;
    else failed += 1;
    console.log(`${name}: ${problems.length === 0 ? `ok, ${ports.join(", ")}` : "FAILED"}, ${seconds} s`);
    for (const problem of problems) console.log(`  problem: ${problem}`);
  }
} finally {
  await api.end("SIGTERM");
  if (failed > 0) console.log(api.output().slice(-20_000));
  removeDataDir(dataDir);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

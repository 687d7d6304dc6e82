import { parseArgs } from "node:util";
import { newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { createRandom } from "../support/random.ts";
import { buildImage, imagesHere, removeImages } from "./images.ts";
import { removeProjects, tryCombination } from "./try-combination.ts";
import { type Combination, validCombinations } from "./valid-combinations.ts";

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

// What is left of a run that cannot be ended is left when it is asked for again. The same Ctrl-C may come
// twice: from the terminal, and handed on by who started this.
const ending = new AbortController();
let endedAt = Infinity;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (performance.now() - endedAt > 1_000) process.exit(130);
    endedAt = Math.min(endedAt, performance.now());
    ending.abort(new Error(`ended by ${signal}; what it made is removed`));
  });
const ended = Promise.withResolvers<never>();
ended.promise.catch(() => undefined);
ending.signal.addEventListener("abort", () => ended.reject(ending.signal.reason));

const dataDir = newDataDir();
const api = await startApi({
  dataDir,
  env: { RUNTIME: "docker", HEALTH_TIMEOUT_MS: "120000" },
  outlivesInterrupt: true,
});
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
    const { problems, ports } = await outcomeOf(combination);
    ending.signal.throwIfAborted();
    // The next one needs the room.
    await removeImages(before);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (problems.length === 0) passed += 1;
    else failed += 1;
    console.log(`${name}: ${problems.length === 0 ? `ok, ${ports.join(", ")}` : "FAILED"}, ${seconds} s`);
    for (const problem of problems) console.log(`  problem: ${problem}`);
  }
} catch (error) {
  failed += 1;
  console.log(error instanceof Error ? error.message : String(error));
} finally {
  for (const problem of await removeProjects(api.url)) console.log(`  problem: ${problem}`);
  await api.end("SIGTERM");
  await removeImages(before);
  if (failed > 0 && !ending.signal.aborted) console.log(api.output().slice(-20_000));
  removeDataDir(dataDir);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function outcomeOf(combination: Combination): Promise<{ problems: string[]; ports: string[] }> {
  try {
    await buildImage(combination, ending.signal);
    return await Promise.race([tryCombination({ url: api.url, dataDir }, combination), ended.promise]);
  } catch (error) {
    return { problems: [error instanceof Error ? error.message : String(error)], ports: [] };
  }
}

import { join } from "node:path";
import { runTests } from "./run-tests.ts";

const filters = process.argv.slice(2);
const option = filters.find((filter) => filter.startsWith("-"));
if (option) {
  console.error(`Unknown option ${option}. Pass parts of file paths, or run: bun test ${option} <file>`);
  process.exitCode = 2;
} else {
  const { ok, lines } = await runTests({
    root: join(import.meta.dir, "../../.."),
    filters,
    forbidSkips: process.env["AGENTPOD_FORBID_SKIPS"] === "1",
    output: "inherit",
  });
  for (const line of lines) console.log(line);
  process.exitCode = ok ? 0 : 1;
}

export { readReport } from "./report.ts";
export { runBunTest } from "./run-bun-test.ts";
export { summarize } from "./summary.ts";

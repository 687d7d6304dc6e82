import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findTestFiles } from "./find-test-files.ts";
import { readReport } from "./report.ts";
import { runBunTest } from "./run-bun-test.ts";
import { summarize, type Summary } from "./summary.ts";

interface TestOptions {
  /** The checkout. */
  root: string;
  /** Parts of file paths; none means every test file. */
  filters: readonly string[];
  /** Whether a skipped test counts as a failed one. */
  forbidSkips: boolean;
  /** Where the tests' own output goes: to stderr as it comes, or nowhere. */
  output: "inherit" | "ignore";
}

/** Runs the tests of all workspaces and judges the run. */
export async function runTests({ root, filters, forbidSkips, output }: TestOptions): Promise<Summary> {
  const files = await findTestFiles(root, filters);
  const work = await mkdtemp(join(tmpdir(), "agentpod-tests-"));
  try {
    const { report, ending } = await runBunTest({ root, files, output, reportFile: join(work, "report.xml") });
    return summarize({ files, tests: readReport(report), ending, forbidSkips });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findTestFiles } from "./find-test-files.ts";
import { readReport } from "./report.ts";
import { runBunTest, type TestRun } from "./run-bun-test.ts";
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

/** Those that build images take the whole machine, so they come last and one file after the other. */
function groupsOf(files: readonly string[]): { files: string[]; parallel: boolean }[] {
  const { heavy = [], light = [] } = Object.groupBy(files, (file) =>
    file.startsWith("docker/tests/") ? "heavy" : "light",
  );
  return [
    { files: light, parallel: true },
    { files: heavy, parallel: false },
  ];
}

/** Runs the tests of all workspaces and judges the run. */
export async function runTests({ root, filters, forbidSkips, output }: TestOptions): Promise<Summary> {
  const files = await findTestFiles(root, filters);
  const work = await mkdtemp(join(tmpdir(), "agentpod-tests-"));
  try {
    const runs: TestRun[] = [];
    for (const [index, group] of groupsOf(files).entries()) {
      runs.push(await runBunTest({ root, ...group, output, reportFile: join(work, `report-${index}.xml`) }));
    }
    const tests = runs.flatMap(({ report }) => readReport(report));
    const ending = runs.find((run) => run.ending !== undefined)?.ending;
    return summarize({ files, tests, ending, forbidSkips });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

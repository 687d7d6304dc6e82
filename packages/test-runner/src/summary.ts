import { describeFailures } from "./failures.ts";
import type { TestResult } from "./report.ts";

interface Finished {
  files: readonly string[];
  tests: readonly TestResult[];
  /** How `bun test` ended when not with success. */
  ending: string | undefined;
  forbidSkips: boolean;
}

export interface Summary {
  ok: boolean;
  /** For the reader; the last line is the counts and nothing else. */
  lines: string[];
}

/** Judges a finished run. What did not report (a file that does not load, a crash) is a failure. */
export function summarize({ files, tests, ending, forbidSkips }: Finished): Summary {
  const passed = tests.filter(({ outcome }) => outcome === "passed").length;
  const failures = tests.filter(({ outcome }) => outcome === "failed").map(({ file, name }) => `${file}: ${name}`);
  let skips = tests
    .filter(({ outcome }) => outcome === "skipped")
    .map(({ file, name, reason }) => `${file}: ${withoutReason(name)} (skipped: ${reason ?? "no reason given"})`);
  if (forbidSkips) {
    failures.push(...skips);
    skips = [];
  }

  const reporting = new Set(tests.map(({ file }) => file));
  const silent = files.filter((file) => !reporting.has(file));
  failures.push(...silent.map((file) => `${file}: reported no test; it is empty or did not load`));
  if (files.length === 0) failures.push("no test file matches");
  else if (ending && failures.length === 0) failures.push(`bun test ended with ${ending}, though no test failed`);
  else if (passed === 0 && failures.length === 0) failures.push("every test was skipped, so nothing was tested");

  const counts = [`${passed} passed`, `${failures.length} failed`];
  if (skips.length > 0) counts.push(`${skips.length} skipped`);
  return {
    ok: failures.length === 0,
    // The reader may see the end alone: the names come after the details.
    lines: [
      ...section("Skipped", skips),
      ...describeFailures(tests),
      ...section("Failed", failures),
      counts.join(", "),
    ],
  };
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : ["", `${title}:`, ...entries.map((entry) => `  ${entry}`), ""];
}

function withoutReason(name: string): string {
  return name.replace(/ ?\[skipped: .+?\]/, "");
}

import type { TestResult } from "./report.ts";

const TESTS_MAX = 20;
const LINES_MAX = 25;
/** Of those, from the end: where the stack is. */
const LAST_LINES = 8;
const LINE_LENGTH_MAX = 300;
/** A frame of the stack outside the checkout's own files. */
const FOREIGN_FRAME = /^\s+at .*(?:node_modules\/|\bnative\b|\((?:node|bun|internal):)/;

/** What the first failed tests failed with, cut to what a reader can take in; no lines when none failed. */
export function describeFailures(tests: readonly TestResult[]): string[] {
  const failed = tests.filter(({ outcome }) => outcome === "failed");
  if (failed.length === 0) return [];
  const left = failed.length - TESTS_MAX;
  return [
    "",
    "What failed, and how:",
    ...failed
      .slice(0, TESTS_MAX)
      .flatMap((test) => ["", `  ${test.file}: ${test.name}`, ...excerpt(test.failure).map((line) => `    ${line}`)]),
    ...(left > 0 ? ["", `  ${left} more failed, which are only named below`] : []),
  ];
}

function excerpt(failure: string): string[] {
  const lines = failure
    .split("\n")
    .filter((line) => line.trim() !== "" && !FOREIGN_FRAME.test(line))
    .map((line) => (line.length > LINE_LENGTH_MAX ? `${line.slice(0, LINE_LENGTH_MAX)}…` : line));
  if (lines.length <= LINES_MAX) return lines;
  const shown = LINES_MAX - LAST_LINES - 1;
  const hidden = lines.length - shown - LAST_LINES;
  return [...lines.slice(0, shown), `… ${hidden} lines …`, ...lines.slice(-LAST_LINES)];
}

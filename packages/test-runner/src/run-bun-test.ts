const runMinutesMax = 60;
const testTimeoutMs = 30_000;

export interface TestRun {
  /** The JUnit report; empty when Bun did not live to write it. */
  report: string;
  /** How Bun ended, when that was not with success: "exit code 1", "SIGKILL". */
  ending: string | undefined;
}

/**
 * Runs test files in worker processes, each file with its own globals and modules: a crash then
 * costs one file, and nothing leaks from one to the next.
 */
export async function runBunTest(options: {
  root: string;
  files: readonly string[];
  /** Several files at a time. */
  parallel: boolean;
  output: "inherit" | "ignore";
  reportFile: string;
  /** Instead of this process's own. */
  env?: Record<string, string | undefined>;
}): Promise<TestRun> {
  const { root, files, parallel, output, reportFile, env } = options;
  if (files.length === 0) return { report: "", ending: undefined };
  const child = Bun.spawn({
    cmd: [
      process.execPath,
      "--no-env-file",
      "test",
      parallel ? "--parallel" : "--parallel=1",
      `--timeout=${testTimeoutMs}`,
      "--reporter=junit",
      `--reporter-outfile=${reportFile}`,
      ...files.map((file) => `./${file}`),
    ],
    cwd: root,
    ...(env ? { env } : {}),
    stdio: ["ignore", output, output],
    timeout: runMinutesMax * 60_000,
  });
  const stop = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGINT", stop).on("SIGTERM", stop);
  await child.exited;
  process.off("SIGINT", stop).off("SIGTERM", stop);
  const report = Bun.file(reportFile);
  return { report: (await report.exists()) ? await report.text() : "", ending: endingOf(child) };
}

function endingOf({ exitCode, signalCode }: Bun.Subprocess): string | undefined {
  if (signalCode) return String(signalCode);
  return exitCode === 0 ? undefined : `exit code ${exitCode}`;
}

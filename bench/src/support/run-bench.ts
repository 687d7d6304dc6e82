/**
 * Runs a benchmark. Ctrl-C and SIGTERM abort `signal`; the benchmark then fails at its next step and
 * takes away what it made. Sets the exit code: 1 after a failure, 130 after an interruption.
 */
export async function runBench(bench: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());
  try {
    await bench(interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) console.error(error instanceof Error ? error.message : error);
    process.exitCode = interrupted.signal.aborted ? 130 : 1;
  }
}

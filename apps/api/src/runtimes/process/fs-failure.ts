import { RuntimeError } from "../runtime.ts";

/** Runs work on the data folder; what the file system refuses becomes a RuntimeError, worth another try. */
export async function withFsFailures<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && "syscall" in error && "code" in error) {
      const message = `the data folder or a program cannot be used (${String(error.syscall)}: ${String(error.code)})`;
      throw new RuntimeError("unavailable", message, { cause: error });
    }
    throw error;
  }
}

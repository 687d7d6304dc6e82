/** One process of this host, seen in passing. */
export interface ProcessEntry {
  pid: number;
  /** Id of its process group. */
  groupId: number;
  /** Arguments, joined by blanks. */
  command: string;
  /** HOME in its environment; null where the system does not show it. */
  home: string | null;
  /** When it started, in the system's own units. */
  startedAt: number;
}

/** What the operating system tells about processes. Ended ones that nobody has waited for count as gone. */
export interface ProcessTable {
  /** Tells a process from every other that has had or will have its pid; null when it does not run. */
  identify: (pid: number) => Promise<string | null>;
  /**
   * When a process started, by its identity and in the units of `startedAt`; null when that was before
   * this boot, or before the container around this process began: pids begin anew with either.
   */
  startOf: (identity: string) => Promise<number | null>;
  /** All that can be seen. Calls made while a scan waits to begin share it, so many at once cost little. */
  scan: () => Promise<ProcessEntry[]>;
}

/** Lets callers share a run, but only one that began after they asked. */
export function shareRuns<Result>(run: () => Promise<Result>): () => Promise<Result> {
  let current: Promise<unknown> = Promise.resolve();
  let waiting: Promise<Result> | undefined;
  return () => {
    waiting ??= current.then(() => {
      waiting = undefined;
      const result = run();
      current = result.catch(() => undefined);
      return result;
    });
    return waiting;
  };
}

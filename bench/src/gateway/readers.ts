import { join } from "node:path";
import type { ReaderOptions, ReadResult } from "./reader.ts";
import type { Reply, Request } from "./reader-process.ts";

const TIMEOUT_MS = 120_000;

export type Readers = AsyncDisposable & {
  /** Connects all of them; `results` comes when each has the last update. */
  open(readers: ReaderOptions[]): Promise<{ results: Promise<ReadResult[]> }>;
};

type Waiting = { opened: PromiseWithResolvers<void>; results: PromiseWithResolvers<ReadResult[]> };

/** Starts the process in which streams are read. */
export function startReaders(): Readers {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;

  function fail(id: number, error: Error): void {
    waiting.get(id)?.opened.reject(error);
    waiting.get(id)?.results.reject(error);
  }

  const child = Bun.spawn([process.execPath, join(import.meta.dir, "reader-process.ts")], {
    stdio: ["ignore", "inherit", "inherit"],
    ipc(reply: Reply) {
      if ("error" in reply) fail(reply.id, new Error(reply.error));
      else if ("results" in reply) waiting.get(reply.id)?.results.resolve(reply.results);
      else waiting.get(reply.id)?.opened.resolve();
    },
    onExit: () => [...waiting.keys()].forEach((id) => fail(id, new Error("the readers' process has ended"))),
  });

  return {
    async open(readers) {
      const id = (lastId += 1);
      const entry: Waiting = { opened: Promise.withResolvers(), results: Promise.withResolvers() };
      waiting.set(id, entry);
      const timer = setTimeout(() => fail(id, new Error("readers did not get the last update in time")), TIMEOUT_MS);
      const done = () => {
        clearTimeout(timer);
        waiting.delete(id);
      };
      entry.results.promise.finally(done).catch(() => undefined);
      child.send({ id, readers } satisfies Request);
      await entry.opened.promise;
      return { results: entry.results.promise };
    },

    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}

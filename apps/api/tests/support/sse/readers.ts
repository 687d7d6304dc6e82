import { join } from "node:path";
import type { GroupReport, ReaderGroup, Reply, Request } from "./reader-process.ts";

export type { GroupReport, ReaderGroup };

export interface Readers extends AsyncDisposable {
  pid: number;
  /** Lets a share of all readers, between 0 and 1, go away and come back with what they saw last. */
  reconnect: (share: number, seed: number) => Promise<void>;
  report: () => Promise<readonly GroupReport[]>;
}

/**
 * Opens readers of streams of events, in a process of their own so that the caller does not starve
 * them. Disposing closes them all.
 * @param command what goes before the program, to keep it on one CPU
 */
export async function openReaders(
  port: number,
  groups: readonly ReaderGroup[],
  command: readonly string[] = [],
): Promise<Readers> {
  const waiting = new Map<number, PromiseWithResolvers<readonly GroupReport[]>>();
  let lastId = 0;
  const child = Bun.spawn([...command, process.execPath, join(import.meta.dir, "reader-process.ts")], {
    stdio: ["ignore", "inherit", "inherit"],
    ipc(reply: Reply) {
      const asked = waiting.get(reply.id);
      if ("error" in reply) asked?.reject(new Error(reply.error));
      else asked?.resolve(reply.reports);
      waiting.delete(reply.id);
    },
    onExit() {
      for (const { reject } of waiting.values()) reject(new Error("the readers' process has ended"));
    },
  });
  const ask = (request: Request): Promise<readonly GroupReport[]> => {
    lastId += 1;
    const asked = Promise.withResolvers<readonly GroupReport[]>();
    waiting.set(lastId, asked);
    child.send({ ...request, id: lastId });
    return asked.promise;
  };
  const end = async () => {
    child.kill();
    await child.exited;
  };
  try {
    await ask({ do: "open", port, groups });
  } catch (error) {
    await end();
    throw error;
  }
  return {
    pid: child.pid,
    reconnect: async (share, seed) => void (await ask({ do: "reconnect", share, seed })),
    report: () => ask({ do: "report" }),
    [Symbol.asyncDispose]: end,
  };
}

import { read, type ReaderOptions, type ReadResult } from "./reader.ts";

// Readers in a process of their own, so that they take no time from what starts and measures.
export type Request = { id: number; readers: ReaderOptions[] };
export type Reply = { id: number } & ({ opened: true } | { results: ReadResult[] } | { error: string });

const reply = (message: Reply) => process.send?.(message);

process.on("message", ({ id, readers }: Request) => {
  const open = new Set(readers.keys());
  const opened = (index: number) => {
    if (open.delete(index) && open.size === 0) reply({ id, opened: true });
  };
  Promise.all(readers.map((options, index) => read(options, () => opened(index)))).then(
    (results) => reply({ id, results }),
    (error: unknown) => reply({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});

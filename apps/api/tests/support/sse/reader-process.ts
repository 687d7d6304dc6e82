import { createRandom } from "../random.ts";
import { openReader, type Reader } from "./reader.ts";

/** Readers of one stream: each begins after the same event. */
export interface ReaderGroup {
  path: string;
  after: number;
  count: number;
}

export type Request =
  | { do: "open"; port: number; groups: readonly ReaderGroup[] }
  /** Some readers of each group go away and come back. */
  | { do: "reconnect"; share: number; seed: number }
  | { do: "report" };

export interface GroupReport extends ReaderGroup {
  /** What the reader has seen that has seen the least. */
  ids: readonly number[];
  /** How many readers have seen anything else, in whatever order. */
  differing: number;
  complaints: readonly string[];
}

export type Reply = { id: number; reports: readonly GroupReport[] } | { id: number; error: string };

const openedAtOnce = 50;
const groups: { group: ReaderGroup; readers: Reader[] }[] = [];

async function open(port: number, group: ReaderGroup): Promise<void> {
  const readers: Reader[] = [];
  groups.push({ group, readers });
  while (readers.length < group.count) {
    const wave = Math.min(openedAtOnce, group.count - readers.length);
    readers.push(...(await Promise.all(Array.from({ length: wave }, () => openReader(port, group.path, group.after)))));
  }
}

async function reconnect(share: number, seed: number): Promise<void> {
  const { below } = createRandom(seed);
  const leaving = groups.flatMap(({ readers }) => readers).filter(() => below(1_000) < share * 1_000);
  for (let index = 0; index < leaving.length; index += openedAtOnce)
    await Promise.all(leaving.slice(index, index + openedAtOnce).map((reader) => reader.reconnect()));
}

function report({ group, readers }: (typeof groups)[number]): GroupReport {
  const ids = readers.map((reader) => reader.ids).reduce((least, seen) => (seen.length < least.length ? seen : least));
  const key = ids.join();
  return {
    ...group,
    ids,
    differing: readers.filter((reader) => reader.ids.length !== ids.length || reader.ids.join() !== key).length,
    complaints: readers.flatMap(({ complaints }) => complaints).slice(0, 5),
  };
}

async function carryOut(request: Request): Promise<readonly GroupReport[]> {
  if (request.do === "open") for (const group of request.groups) await open(request.port, group);
  if (request.do === "reconnect") await reconnect(request.share, request.seed);
  return request.do === "report" ? groups.map(report) : [];
}

process.on("message", ({ id, ...request }: Request & { id: number }) => {
  const answer = (reply: Reply) => process.send?.(reply);
  carryOut(request).then(
    (reports) => answer({ id, reports }),
    (error: unknown) => answer({ id, error: String(error) }),
  );
});
// Whoever started it is gone.
process.on("disconnect", () => process.exit(0));

import { createServer } from "node:net";

/** How long a picked port stays ours: enough for the caller to store it, after which `taken` has it. */
const RESERVATION_MS = 30_000;

export interface PortRange {
  from: number;
  /** Inclusive. */
  to: number;
}

export interface PortAllocatorOptions {
  range: PortRange;
  /** Whether 127.0.0.1:port can be listened on now. */
  isFree?: (port: number) => Promise<boolean>;
  /** Milliseconds on any steady clock. */
  now?: () => number;
}

export type PortAllocator = ReturnType<typeof createPortAllocator>;

/** No port of the range is left for the asking. */
export class PortsExhaustedError extends Error {
  override readonly name = "PortsExhaustedError";

  constructor(count: number, { from, to }: PortRange) {
    super(`no ${count} free ports left between ${from} and ${to}; stop programs or delete projects that hold them`);
  }
}

/** Finds ports on 127.0.0.1 that nobody listens on and no other pick has got. */
export function createPortAllocator({
  range,
  isFree = canListen,
  now = () => performance.now(),
}: PortAllocatorOptions) {
  const size = range.to - range.from + 1;
  /** Port to the end of its reservation, oldest first. */
  const reserved = new Map<number, number>();

  function forgetOldReservations(): void {
    for (const [port, until] of reserved) {
      if (until > now()) return;
      reserved.delete(port);
    }
  }

  /**
   * `count` different ports outside `taken`, reserved for a short while.
   * @throws PortsExhaustedError, and then nothing stays reserved.
   */
  async function pick(count: number, taken: ReadonlySet<number>): Promise<number[]> {
    forgetOldReservations();
    const picked: number[] = [];
    // A random start: a port just given back is not handed out again at once.
    const start = Math.floor(Math.random() * size);
    try {
      for (let step = 0; step < size && picked.length < count; step += 1) {
        const port = range.from + ((start + step) % size);
        if (taken.has(port) || reserved.has(port)) continue;
        // Before the await, so that no concurrent pick looks at the same port.
        reserved.set(port, now() + RESERVATION_MS);
        if (await isFree(port)) picked.push(port);
        else reserved.delete(port);
      }
      if (picked.length < count) throw new PortsExhaustedError(count, range);
      return picked;
    } catch (error) {
      for (const port of picked) reserved.delete(port);
      throw error;
    }
  }

  return { pick };
}

function canListen(port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
    else reject(error);
  });
  server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}

const MiB = 1024 * 1024;
/** What is made between two looks at the process. */
const LOOK_BYTES = 16 * MiB;
/** Of the whole process; a gateway at rest has half of it. */
const RESIDENT_MAX = 96 * MiB;

type ScrapDeps = {
  /** Memory of the process in bytes. */
  resident?: () => number;
  collect?: () => void;
};

/**
 * Bodies and frames are of no use milliseconds after they were made, but the engine sees little more of
 * them than their handles and lets them gather. Here they are collected once the process has grown.
 */
export function createScrap({
  resident = () => process.memoryUsage.rss(),
  collect = () => Bun.gc(true),
}: ScrapDeps = {}) {
  let bytes = 0;

  return {
    /** So much was made that will soon be garbage. */
    made(more: number): void {
      bytes += more;
      if (bytes < LOOK_BYTES) return;
      bytes = 0;
      if (resident() > RESIDENT_MAX) collect();
    },
  };
}

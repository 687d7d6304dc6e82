import type { Segment } from "./segment-table.ts";

/** `bytes`: what it takes once it was made into frames. */
type TailSegment = Segment & { bytes: number };

/** The last committed segments, about `bytesMax` of them, shared by all readers that keep up. */
export function createMemoryTail(bytesMax: number, lastSeq: number) {
  const all: TailSegment[] = [];
  const perSession = new Map<string, TailSegment[]>();
  /** Of removed sessions: the last event that was taken out. */
  const dropped = new Map<string, number>();
  let bytes = 0;
  let floor = lastSeq;

  function dropOldest(): void {
    const oldest = all.shift();
    if (oldest === undefined) return;
    bytes -= oldest.bytes;
    floor = oldest.last;
    const siblings = perSession.get(oldest.sessionId);
    siblings?.shift();
    if (siblings?.length === 0) perSession.delete(oldest.sessionId);
  }

  return {
    push(segment: TailSegment): void {
      all.push(segment);
      bytes += segment.bytes;
      const siblings = perSession.get(segment.sessionId);
      if (siblings) siblings.push(segment);
      else perSession.set(segment.sessionId, [segment]);
      while (bytes > bytesMax) dropOldest();
    },

    /** The session was removed: takes its events out. */
    drop(sessionId: string): void {
      const segments = perSession.get(sessionId);
      if (segments === undefined) return;
      perSession.delete(sessionId);
      dropped.set(sessionId, segments.at(-1)?.last ?? 0);
      const kept = all.filter((segment) => segment.sessionId !== sessionId);
      all.splice(0, all.length, ...kept);
      bytes = all.reduce((sum, segment) => sum + segment.bytes, 0);
    },

    /** Every event after `seq` that is still there is here; `null` stands for all sessions. */
    holds: (sessionId: string | null, seq: number): boolean =>
      seq >= floor && (sessionId === null || seq >= (dropped.get(sessionId) ?? 0)),

    /** The segments with events after `seq`, the oldest first, up to about `bytes` and at least one. */
    after(sessionId: string | null, seq: number, bytes: number): Segment[] {
      const segments = sessionId === null ? all : (perSession.get(sessionId) ?? []);
      const found: Segment[] = [];
      let sum = 0;
      for (let index = firstAfter(segments, seq); index < segments.length; index += 1) {
        const segment = segments[index];
        if (segment === undefined || (sum > 0 && sum + segment.bytes > bytes)) break;
        sum += segment.bytes;
        found.push(segment);
      }
      return found;
    },
  };
}

/** Index of the first segment that ends after `seq`. */
function firstAfter(segments: readonly Segment[], seq: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.last ?? 0) > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}

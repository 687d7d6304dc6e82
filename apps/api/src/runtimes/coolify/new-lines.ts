/**
 * What of a log's end was not in an earlier look at it: both are the last lines of it, in order. All of
 * it when they have no line in common, as after a restart.
 */
export function newLines(before: readonly string[], now: readonly string[]): string[] {
  for (let start = Math.max(0, before.length - now.length); start < before.length; start += 1) {
    const common = before.length - start;
    if (isSame(before, start, now, common)) return now.slice(common);
  }
  return [...now];
}

function isSame(before: readonly string[], start: number, now: readonly string[], count: number): boolean {
  for (let index = 0; index < count; index += 1) {
    if (before[start + index] !== now[index]) return false;
  }
  return true;
}

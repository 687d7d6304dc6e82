import { expect, test } from "bun:test";
import { statSync, type BigIntStats } from "node:fs";
import { createPatience, missingMs, settled, tagOf } from "../../src/files/entry.ts";

const NOW = 1_700_000_000_000n;

function changedAt(ctimeNs: bigint): BigIntStats {
  return Object.assign(statSync(import.meta.path, { bigint: true }), { ctimeNs });
}

test.each([
  ["long ago", NOW * 1_000_000n - 5_000_000_001n, 0],
  ["in this tick", NOW * 1_000_000n + 1n, 13],
  ["half a tick ago", NOW * 1_000_000n - 5_999_999n, 7],
  ["in this whole second, on a disk that keeps no parts of it", NOW * 1_000_000n, 2001],
  ["in the future, by a clock that was set back", NOW * 1_000_000n + 60_000_000_001n, 12],
])("what changed %s has to wait for its tag accordingly", (_, ctimeNs, expected) => {
  expect(Math.max(0, missingMs(changedAt(ctimeNs), NOW))).toBe(expected);
});

test("a tag is given once the tick of the last change is over", async () => {
  const ctimeNs = BigInt(Date.now()) * 1_000_000n + 1n;
  let looked = 0n;
  const { etag } = await settled(() => {
    looked = BigInt(Date.now());
    return changedAt(ctimeNs);
  });
  expect(etag).toBe(tagOf(changedAt(ctimeNs)));
  expect(looked - ctimeNs / 1_000_000n).toBeGreaterThanOrEqual(12n);
});

test("what never stands still gets a tag that is never given again", async () => {
  const look = () => changedAt(BigInt(Date.now() + 1000) * 1_000_000n + 1n);
  const [one, other] = [await settled(look), await settled(look)];
  expect(one.etag).not.toBe(other.etag);
  expect(one.etag).not.toBe(tagOf(one.stat));
});

test("a page waits only so long in all", async () => {
  const patience = createPatience(20);
  const begun = Date.now();
  for (let entry = 0; entry < 100; entry += 1) {
    await settled(() => changedAt(BigInt(Date.now()) * 1_000_000n + 1n), patience);
  }
  expect(Date.now() - begun).toBeLessThan(500);
});

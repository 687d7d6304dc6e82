import { describe, expect, test } from "bun:test";
import { createWaitingReaders } from "../../src/services/waiting-readers.ts";

const untilEnd = new AbortController().signal;

describe("readers that wait", () => {
  test("are woken at once when they are few", async () => {
    const readers = createWaitingReaders();
    const woken = Promise.all([readers.next(untilEnd), readers.next(untilEnd)]);
    readers.wake();
    await woken;
  });

  test("leave turns of the event loop to others when they are many", async () => {
    const readers = createWaitingReaders();
    let woken = 0;
    const all = Array.from({ length: 500 }, async () => {
      await readers.next(untilEnd);
      woken += 1;
    });
    const seen: number[] = [];
    const watch = () => {
      seen.push(woken);
      if (woken < all.length) setImmediate(watch);
    };
    readers.wake();
    watch();
    await Promise.all(all);
    expect(woken).toBe(500);
    expect(new Set(seen).size).toBeGreaterThan(10);
  });

  test("miss no news that comes while others are being woken", async () => {
    const readers = createWaitingReaders();
    let news = 0;
    const read = async () => {
      let known = 0;
      while (known < 50) {
        if (known === news) await readers.next(untilEnd);
        known = news;
      }
    };
    const all = Array.from({ length: 200 }, read);
    while (news < 50) {
      news += 1;
      readers.wake();
      if (news % 3 === 0) await Bun.sleep(0);
    }
    await Promise.all(all);
    expect(news).toBe(50);
  });

  test("wait no longer when they are gone, also among many being woken", async () => {
    const readers = createWaitingReaders();
    const others = Array.from({ length: 100 }, () => readers.next(untilEnd));
    const gone = new AbortController();
    const last = readers.next(gone.signal);
    readers.wake();
    gone.abort();
    await last;
    await readers.next(gone.signal);
    await Promise.all(others);
  });
});

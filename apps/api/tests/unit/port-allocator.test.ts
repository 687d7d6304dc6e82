import { describe, expect, test } from "bun:test";
import { createPortAllocator, PortsExhaustedError } from "../../src/services/port-allocator.ts";

const none: ReadonlySet<number> = new Set();
const always = async () => true;

function listenSomewhere() {
  return Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
}

describe("port allocator", () => {
  test("picks different ports inside the range", async () => {
    const { pick } = createPortAllocator({ range: { from: 20_000, to: 32_767 } });
    const ports = await pick(5, none);
    expect(new Set(ports).size).toBe(5);
    for (const port of ports) {
      expect(port).toBeGreaterThanOrEqual(20_000);
      expect(port).toBeLessThanOrEqual(32_767);
      await Bun.serve({ port, hostname: "127.0.0.1", fetch: () => new Response() }).stop(true);
    }
  });

  test("uses every port of the range, both ends included, and then says that it is exhausted", async () => {
    const range = { from: 20_000, to: 20_009 };
    const { pick } = createPortAllocator({ range, isFree: always });
    expect((await pick(10, none)).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, index) => range.from + index),
    );
    const error = await pick(1, none).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PortsExhaustedError);
    expect(String(error)).toContain("20000 and 20009");
  });

  test("leaves out taken ports and ports somebody listens on", async () => {
    const server = listenSomewhere();
    const port = server.port ?? 0;
    const { pick } = createPortAllocator({ range: { from: port, to: port } });
    await expect(pick(1, none)).rejects.toBeInstanceOf(PortsExhaustedError);
    await server.stop(true);
    await expect(pick(1, new Set([port]))).rejects.toBeInstanceOf(PortsExhaustedError);
    expect(await pick(1, none)).toEqual([port]);
  });

  test("sees a listener on every address too", async () => {
    const server = Bun.serve({ port: 0, hostname: "0.0.0.0", fetch: () => new Response() });
    const port = server.port ?? 0;
    const { pick } = createPortAllocator({ range: { from: port, to: port } });
    await expect(pick(1, none)).rejects.toBeInstanceOf(PortsExhaustedError);
    await server.stop(true);
  });

  test("never gives two concurrent picks the same port", async () => {
    const { pick } = createPortAllocator({ range: { from: 20_000, to: 20_599 } });
    const picks = await Promise.all(Array.from({ length: 200 }, () => pick(2, none)));
    expect(new Set(picks.flat()).size).toBe(400);
  });

  test("reserves nothing when it could not give all", async () => {
    const { pick } = createPortAllocator({ range: { from: 20_000, to: 20_001 }, isFree: always });
    await expect(pick(3, none)).rejects.toBeInstanceOf(PortsExhaustedError);
    expect(await pick(2, none)).toHaveLength(2);
  });

  test("passes on a failure that is not about the port", async () => {
    const isFree = () => Promise.reject(new Error("too many open files"));
    const { pick } = createPortAllocator({ range: { from: 20_000, to: 20_001 }, isFree });
    await expect(pick(1, none)).rejects.toThrow("too many open files");
  });

  test("gives a picked port again once its reservation has run out", async () => {
    let time = 0;
    const { pick } = createPortAllocator({ range: { from: 20_000, to: 20_000 }, isFree: always, now: () => time });
    await pick(1, none);
    await expect(pick(1, none)).rejects.toBeInstanceOf(PortsExhaustedError);
    time = 60_000;
    expect(await pick(1, none)).toEqual([20_000]);
  });

  test("takes less than a millisecond a port", async () => {
    const { pick } = createPortAllocator({ range: { from: 20_000, to: 32_767 } });
    const startedAt = performance.now();
    await pick(200, none);
    expect((performance.now() - startedAt) / 200).toBeLessThan(1);
  });
});

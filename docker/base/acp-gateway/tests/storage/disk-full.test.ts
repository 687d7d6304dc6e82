import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../../src/gateway-error.ts";
import { until } from "../support/gateway.ts";
import { drain, isSettled, openLog, seqs, temporaryFolder, texts, update, write } from "./support/open-log.ts";

const isRoot = process.getuid?.() === 0;
const title = isRoot ? "a full disk" : "a full disk [skipped: only root can mount a small one]";

describe.if(isRoot)(title, () => {
  const folder = temporaryFolder();
  const disk = join(folder.path, "disk");

  beforeAll(() => {
    Bun.spawnSync(["mkdir", disk]);
    const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk]);
    if (mounted.exitCode !== 0) throw new Error(mounted.stderr.toString());
  });
  afterAll(() => {
    Bun.spawnSync(["umount", disk]);
    folder[Symbol.dispose]();
  });

  for (const synchronous of ["normal", "off"] as const) {
    test(`holds producers and refuses to settle, and loses nothing (synchronous ${synchronous})`, async () => {
      const data = join(disk, synchronous);
      const ballast = join(disk, "ballast");
      const expected: string[] = [];
      {
        using storage = openLog(data, { synchronous, limits: { retryMs: 50, stagedBytes: 200_000, tailBytes: 1 } });
        const { log } = storage;
        await write(log, update("a", "first"));
        expected.push("first");
        writeFileSync(ballast, Buffer.alloc(1_500_000));
        let failure: unknown;
        let given = 0;
        for (let index = 0; failure === undefined; index += 1) {
          const text = `${index} ${"x".repeat(50_000)}`;
          expected.push(text);
          log.stage(update("a", text), () => {
            given += 1;
          });
          failure = await log.settled().then(
            () => undefined,
            (error: unknown) => error,
          );
        }
        expect(failure).toBeInstanceOf(GatewayError);
        expect(failure).toMatchObject({ code: "storage_full" });
        expect(log.isFull()).toBe(true);
        expect(log.stats()).toMatchObject({ isFull: true });
        expect(storage.reports).toContain("the log cannot be written; trying again");

        for (let index = 0; index < 4; index += 1) {
          const text = `later ${index} ${"y".repeat(50_000)}`;
          expected.push(text);
          log.stage(update("a", text));
        }
        await expect(log.settled()).rejects.toMatchObject({ code: "storage_full" });
        const room = log.room();
        // What is committed can be read meanwhile, and nothing more.
        const reader = log.reader({ sessionId: "a", after: 0 });
        const before = drain(reader);
        expect(texts(before)).toEqual(expected.slice(0, before.length));
        expect(before.length).toBeLessThan(expected.length - 4);
        expect(await isSettled(room)).toBe(false);

        rmSync(ballast);
        await room;
        await until(() => !log.isFull());
        expect(storage.reports.at(-1)).toBe("the log can be written again");
        expect([...texts(before), ...texts(drain(reader))]).toEqual(expected);
        expect(given).toBeGreaterThanOrEqual(before.length);
        await write(log, update("a", "last"));
        expected.push("last");
      }
      using storage = openLog(data, { synchronous });
      const events = drain(storage.log.reader({ sessionId: "a", after: 0 }));
      expect(texts(events)).toEqual(expected);
      expect(seqs(events)).toEqual(expected.map((_, index) => index + 1));
      expect(storage.reports).toEqual([]);
      rmSync(data, { recursive: true });
    }, 30_000);
  }
});

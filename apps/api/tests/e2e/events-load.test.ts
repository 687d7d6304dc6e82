import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { call, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { missed } from "../support/sse/missed.ts";
import { openReaders } from "../support/sse/readers.ts";
import { until } from "../support/wait.ts";

const projects = 6;
const operations = 30;
const seed = Number(process.env["AGENTPOD_EVENTS_SEED"] ?? Date.now() % 2 ** 31);

describe("300 readers of events", () => {
  test(`miss nothing of 30 operations, though some go away and come back (seed ${seed})`, async () => {
    const dataDir = newDataDir();
    const api = await startApi({ dataDir, entry: "apps/api/tests/support/light-api.ts", env: { RUNTIME: "process" } });
    try {
      const port = Number(new URL(api.url).port);
      const ids = await Promise.all(
        Array.from({ length: projects }, async (_, index) => {
          const { body } = await call(api.url, "POST", "/api/projects", { name: `Busy ${index}`, addonIds: [] });
          return body.project.id;
        }),
      );
      const kept = ids.slice(0, 2).map((id) => ({ path: `/api/projects/${id}/events`, after: 0, count: 30 }));
      const groups = [{ path: "/api/events", after: 0, count: 240 }, ...kept];
      const residentBefore = residentMb(api.pid);
      await using readers = await openReaders(port, groups);

      let begun = projects;
      const work = ids.map(async (id) => {
        await until("it is made", async () => {
          const { body } = await call(api.url, "GET", `/api/projects/${id}`);
          return body.project.status === "running" ? true : undefined;
        });
        for (const verb of ["restart", "stop", "start", "deploy"]) {
          const path = `/api/projects/${id}/${verb}`;
          const { status, body } = await call(api.url, "POST", path, undefined, { prefer: "wait=60" });
          expect([status, body.operation.status]).toEqual([202, "succeeded"]);
          begun += 1;
        }
      });
      const isOver = Promise.all(work).then(() => true);
      for (let round = 0; !(await Promise.race([isOver, Bun.sleep(20)])); round += 1)
        await readers.reconnect(0.1, seed + round);
      expect(begun).toBe(operations);

      const databasePath = join(dataDir, "agentpod.db");
      expect(await missed(databasePath, readers)).toEqual([]);
      const [first] = await readers.report();
      expect(first?.ids.length).toBeGreaterThan(operations * 2);
      expect(residentMb(api.pid) - residentBefore).toBeLessThan(150);
    } finally {
      await api.end("SIGTERM");
      removeDataDir(dataDir);
    }
  }, 180_000);
});

function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

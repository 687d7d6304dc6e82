import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { type ApiProcess, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { fuzz, trimProjects } from "../support/fuzz/run.ts";
import { until } from "../support/wait.ts";

const seed = Number(process.env["AGENTPOD_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const total = Number(process.env["AGENTPOD_FUZZ_REQUESTS"] ?? 20_000);

// Most of them where a sandbox costs nothing; the rest where it is a process that can fail and be late.
const worlds = [
  // Where there is no gateway, nothing that is for it succeeds.
  { name: "sandboxes that are nothing", entry: "apps/api/tests/support/stand-in-api.ts", share: 0.85, dead: "/agent/" },
  { name: "sandboxes that are processes", entry: "apps/api/tests/support/light-api.ts", share: 0.15, dead: null },
] as const;
const residentGrowthMb = 250;
const requestsPerSecondMin = 25;

console.log(`fuzz: AGENTPOD_FUZZ_SEED=${seed} AGENTPOD_FUZZ_REQUESTS=${total}`);

describe.each(worlds)("an API with $name", ({ entry, share, dead }) => {
  const requests = Math.ceil(total * share);
  const dataDir = newDataDir();
  let api: ApiProcess | undefined;
  afterAll(async () => {
    await api?.end("SIGTERM");
    removeDataDir(dataDir);
  });

  test(
    `answers ${requests} requests as it declares (seed ${seed})`,
    async () => {
      const { url, pid, output } = (api = await startApi({ dataDir, entry, env: { RUNTIME: "process" } }));
      const warmUp = Math.ceil(requests / 10);
      const options = { url, concurrency: 24, projectsMax: 12 };
      const first = await fuzz({ ...options, seed, from: 0, requests: warmUp });
      const before = { residentMb: residentMb(pid), connections: connections(pid) };
      const rest = await fuzz({ ...options, seed, from: warmUp, requests: requests - warmUp });

      expect([...first.failures, ...rest.failures].join("\n\n")).toBe("");
      expect(first.sent + rest.sent).toBe(requests);
      const unexpected = output()
        .split("\n")
        .filter((line) => line.includes("unexpectedly"));
      expect(unexpected).toEqual([]);
      // With less, chance alone may leave one out.
      const withoutSuccess = rest.withoutSuccess.filter((name) => dead === null || !name.includes(dead));
      if (requests >= 5_000) expect(withoutSuccess).toEqual([]);

      await trimProjects(url, 0);
      expect(await readersLeft(url)).toBe(0);
      expect(childrenOf(pid)).toEqual([]);
      await until("connections are closed", () => (connections(pid) <= before.connections + 5 ? true : undefined));
      expect(residentMb(pid) - before.residentMb).toBeLessThan(residentGrowthMb);
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect((await fetch(`${url}/ready`)).status).toBe(200);
    },
    60_000 + (requests / requestsPerSecondMin) * 1_000,
  );
});

/** Readers of streams that the API still counts, once those that went have been noticed. */
async function readersLeft(url: string): Promise<number> {
  const count = async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const counts = [...metrics.matchAll(/^agentpod_sse_clients\{.*\} (\d+)$/gm)].map(([, n]) => Number(n));
    expect(counts.length).toBeGreaterThan(0);
    return counts.reduce((sum, n) => sum + n, 0);
  };
  return await until("no reader is left", async () => ((await count()) === 0 ? 0 : undefined)).catch(count);
}

function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
}

const connections = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Processes that this one started and that are still there. */
function childrenOf(pid: number): string[] {
  return readdirSync("/proc").filter((id) => {
    try {
      // After the name, which may have blanks in it: state, then the parent.
      return /^\d+$/.test(id) && readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1]?.split(" ")[1] === String(pid);
    } catch {
      return false;
    }
  });
}

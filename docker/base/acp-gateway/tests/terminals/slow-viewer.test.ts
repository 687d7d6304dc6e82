import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Terminal, terminal } from "../../src/wire/index.ts";
import { until } from "../support/gateway.ts";
import { openStalledViewer, openTerminals, openViewer } from "./support/world.ts";

const MiB = 1024 * 1024;
const BURST = "read -r _; head -c 8000000 /dev/zero | base64 -w 99; echo; echo the-end; read -r _";

test("a burst of 10 MB reaches a viewer that reads, while those that stall cost next to nothing", async () => {
  await using server = await startServer();
  const { port } = server;
  const id = await server.open(["sh", "-c", BURST]);
  const fast = await openViewer(port, id);
  const stalled = await Promise.all(Array.from({ length: 8 }, () => openStalledViewer(port, id)));
  await until(async () => (await server.describe(id)).viewers === 9);
  const before = await server.rss();
  let peak = before;
  const watch = setInterval(() => void server.rss().then((rss) => (peak = Math.max(peak, rss))), 10);
  fast.type("\n");
  await fast.shows("the-end");
  clearInterval(watch);
  expect((await server.describe(id)).outputBytes).toBeGreaterThan(10 * MiB);
  // Were it kept for each who stalls, it would be 80 MiB more.
  expect(peak - before).toBeLessThan(40 * MiB);

  const [slow, ...others] = stalled;
  for (const other of others) other.end();
  slow?.read();
  await until(() => slow?.text().includes("the-end") ?? false);
  // It was told what it missed, and got the rest.
  expect(slow?.text().includes('{"type":"gap","bytes":')).toBeTrue();
  expect(slow?.bytes()).toBeLessThan(6 * MiB);
  slow?.end();
}, 30_000);

test("whoever comes after a long output gets its end, from the beginning of a line on", async () => {
  await using world = await openTerminals({ scrollbackBytes: 64 * 1024 });
  const { id } = await world.open({ command: ["sh", "-c", "seq -f 'line %.0f ä' 1 50000; echo the-end; read -r _"] });
  const first = await world.view(id);
  await first.shows("the-end");
  const late = await world.view(id);
  await late.shows("the-end");
  expect(late.seen.text).toMatch(/^line \d+ ä\r\n/);
  expect(late.seen.bytes).toBeLessThanOrEqual(64 * 1024);
  expect(first.seen.text.endsWith(late.seen.text)).toBeTrue();
  const { outputBytes } = world.manager.find(id).describe();
  expect(late.notices[0]).toMatchObject({ type: "ready", offset: outputBytes - late.seen.bytes });
  const beyond = await world.view(id, "?after=999999999");
  expect(beyond.notices[0]).toMatchObject({ type: "ready", offset: outputBytes });
});

test("a viewer that reads nothing for long is let go", async () => {
  await using world = await openTerminals({ stallMs: 200 });
  const { id } = await world.open({ command: ["sh", "-c", "yes"] });
  const stalled = await openStalledViewer(world.port, id);
  await until(() => world.manager.find(id).describe().viewers === 0);
  stalled.read();
  await stalled.closed;
}, 20_000);

test("input for a program that reads none is bounded", async () => {
  await using world = await openTerminals();
  const { id } = await world.open({ command: ["sh", "-c", "stty raw -echo; echo ready; exec sleep 60"] });
  const viewer = await world.view(id);
  await viewer.shows("ready");
  for (let sent = 0; sent < 40; sent += 1) viewer.type("x".repeat(65_536));
  expect(await viewer.closed).toBe(1008);
  const other = await world.view(id);
  expect(other.notices[0]?.type).toBe("ready");
});

test("what is typed arrives whole and in order", async () => {
  await using world = await openTerminals();
  const { id } = await world.open({ command: ["sh", "-c", "stty raw -echo; echo ready; head -c 400000 | cksum"] });
  const viewer = await world.view(id);
  await viewer.shows("ready");
  const text = Array.from({ length: 50_000 }, (_, n) => String(n % 10_000_000).padStart(8, "0")).join("");
  for (let at = 0; at < text.length; at += 10_000) viewer.type(text.slice(at, at + 10_000));
  await viewer.closed;
  const expected = Bun.spawnSync(["cksum"], { stdin: Buffer.from(text) })
    .stdout.toString()
    .trim();
  expect(viewer.seen.text).toContain(expected);
});

async function startServer() {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "support/server.ts")], { stdout: "pipe" });
  const { value } = await child.stdout.getReader().read();
  const port = Number(new TextDecoder().decode(value));
  const url = `http://127.0.0.1:${port}/v1/terminals`;
  const parsed = async (answer: Response): Promise<Terminal> => terminal.parse(await answer.json());
  return {
    port,
    async open(command: string[]): Promise<string> {
      const headers = { "content-type": "application/json" };
      const { id } = await parsed(await fetch(url, { method: "POST", body: JSON.stringify({ command }), headers }));
      return id;
    },
    describe: async (id: string) => parsed(await fetch(`${url}/${id}`)),
    async rss(): Promise<number> {
      const status = await readFile(`/proc/${child.pid}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

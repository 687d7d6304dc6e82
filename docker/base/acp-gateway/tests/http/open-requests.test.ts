import { expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { initialized } from "../acp/support/socket-client.ts";
import { startGateway, TOKEN, until } from "../support/gateway.ts";
import { rawRequest } from "../support/raw-http.ts";
import { descriptorLimit, figuresOf } from "../support/process-figures.ts";

const REQUESTS = 100_000;
const AUTH = `Authorization: Bearer ${TOKEN}\r\n`;
const FLOOD = join(import.meta.dir, "../support/connection-flood.ts");

type Gateway = Awaited<ReturnType<typeof startGateway>>;
const NONE: Flood = { tried: 0, opened: 0, answered: 0, closed: 0, failed: 0 };
type Flood = { tried: number; opened: number; answered: number; closed: number; failed: number };

async function newSession(gateway: Gateway): Promise<string> {
  return ((await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string }).id;
}

async function expectHealthy(gateway: Gateway, withinMs: number): Promise<void> {
  const askedAt = performance.now();
  expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
  expect(performance.now() - askedAt).toBeLessThan(withinMs);
}

async function expectUsable(gateway: Gateway): Promise<void> {
  const id = await newSession(gateway);
  expect((await gateway.post(`/v1/sessions/${id}/prompt?wait=30`, { text: "text hi" })).status).toBe(200);
}

function report(what: string, figures: Record<string, number>): void {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${Math.round(value)}`);
  console.log(`${what}: ${text.join(", ")}`);
}

/** One connection that stays, asks one thing after the other and counts what was answered. */
function steadyClient(port: number) {
  const socket = connect(port, "127.0.0.1");
  let answered = 0;
  socket.on("data", (chunk) => (answered += chunk.toString("latin1").split("HTTP/1.1 200").length - 1));
  socket.on("error", () => undefined);
  return {
    async ask(): Promise<void> {
      const before = answered;
      socket.write(`GET /v1/sessions?limit=1 HTTP/1.1\r\nHost: localhost\r\n${AUTH}\r\n`);
      await until(() => answered > before);
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

test("100,000 requests pipelined over 100 connections end with these, not with the gateway", async () => {
  await using gateway = await startGateway();
  const id = await newSession(gateway);
  const before = figuresOf(gateway.child.pid);
  const ask = `GET /v1/sessions/${id}/events?wait=60&after=latest HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n${AUTH}\r\n`;
  const all = ask.repeat(REQUESTS / 100);
  const sockets: Socket[] = [];
  let closed = 0;
  let answers = 0;
  for (let index = 0; index < 100; index += 1) {
    const socket = connect(gateway.listening.port, "127.0.0.1");
    socket.on("data", (chunk) => (answers += chunk.toString("latin1").split("HTTP/1.1 ").length - 1));
    socket.on("error", () => undefined);
    socket.on("close", () => (closed += 1));
    socket.write(all);
    sockets.push(socket);
  }
  await until(() => closed === 100 || answers === REQUESTS);
  await expectHealthy(gateway, 1000);
  const after = figuresOf(gateway.child.pid);
  expect(after.residentMiB - before.residentMiB).toBeLessThan(60);
  report(`${REQUESTS} requests pipelined`, { answers, closed, grownMiB: after.residentMiB - before.residentMiB });
  for (const socket of sockets) socket.destroy();
  await until(async () =>
    (await (await gateway.get("/metrics")).text()).includes("acp_gateway_requests_in_flight 1\n"),
  );
  await expectUsable(gateway);
}, 15_000);

for (const [count, waiting] of [
  [4, 4 * 256],
  [400, 4096],
] as const) {
  test(`100,000 JSON-RPC requests over ${count} WebSockets: ${waiting} wait, each other one is refused`, async () => {
    await using gateway = await startGateway();
    const id = await newSession(gateway);
    const agents = await childrenOf(gateway);
    const before = figuresOf(gateway.child.pid);
    const connecting = Array.from({ length: count }, () => initialized(`${gateway.url}/acp`, { token: TOKEN }));
    const clients = await Promise.all(connecting);
    // An agent that answers nothing, so that what reaches it stays open.
    for (const pid of agents) process.kill(pid, "SIGSTOP");
    let refused = 0;
    let others = 0;
    for (const { socket } of clients) {
      socket.addEventListener("message", ({ data }) => {
        if (String(data).includes('"too_many_requests"')) refused += 1;
        else others += 1;
      });
    }
    for (let request = 0; request < REQUESTS; request += 1) {
      const text = `{"jsonrpc":"2.0","id":"r${request}","method":"x/ask","params":{"sessionId":"${id}"}}`;
      clients[request % count]?.send(text);
      if (request % 5000 === 0) await Bun.sleep(0);
    }
    await until(() => refused >= REQUESTS - waiting);
    await expectHealthy(gateway, 1000);
    expect({ refused, others }).toEqual({ refused: REQUESTS - waiting, others: 0 });
    const grownMiB = figuresOf(gateway.child.pid).residentMiB - before.residentMiB;
    expect(grownMiB).toBeLessThan(120);
    report(`${REQUESTS} JSON-RPC requests over ${count} WebSockets`, { refused, open: waiting, grownMiB });
    for (const pid of agents) process.kill(pid, "SIGCONT");
    await until(() => others === waiting);
    for (const client of clients) client[Symbol.dispose]();
    await expectUsable(gateway);
  }, 15_000);
}

test("who shows no token keeps no connection, who shows one does", async () => {
  await using gateway = await startGateway();
  const headOf = (path: string, headers: string) =>
    rawRequest(gateway.listening.port, [`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`]);
  for (const path of ["/health", "/v1/agents", "/nowhere"]) {
    expect([path, (await headOf(path, "")).match(/^connection: close\r$/im)?.length]).toEqual([path, 1]);
  }
  expect(await headOf("/v1/agents", AUTH)).not.toMatch(/^connection: close/im);
});

test("a request that is one too many ends its connection, so that nobody holds more than are answered", async () => {
  await using gateway = await startGateway({ AGENTPOD_GATEWAY_LIMIT_REQUESTS_IN_FLIGHT: "1" });
  const id = await newSession(gateway);
  const head = `HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n${AUTH}\r\n`;
  const waiting = [1, 2].map(() => connect(gateway.listening.port, "127.0.0.1"));
  for (const socket of waiting) socket.write(`GET /v1/sessions/${id}/events?wait=60&after=latest ${head}`);
  let refused = "";
  await until(async () => {
    refused = await rawRequest(gateway.listening.port, [`GET /v1/agents ${head}`]);
    return refused.startsWith("HTTP/1.1 429");
  });
  expect(refused).toMatch(/^connection: close\r$/im);
  for (const socket of waiting) socket.destroy();
});

test("connections beyond what it can have files: who is connected is served, and the silent make room", async () => {
  await using gateway = await startGateway({ AGENTPOD_GATEWAY_HOST: "0.0.0.0" });
  const { pid } = gateway.child;
  await newSession(gateway);
  const before = figuresOf(pid);
  using steady = steadyClient(gateway.listening.port);
  await steady.ask();
  // Clients have the same limit as the gateway: together they come with more than it can take.
  const each = Math.min(Math.floor(descriptorLimit() * 0.55), 12_000);
  const texts = ["", "GET /v1/agents HTTP/1.1\r\nHost: loc"];
  const floods = texts.map((text, index) => startFlood(`127.0.0.${index + 2}`, gateway.listening.port, each, text));
  try {
    const most = { descriptors: 0, residentMiB: 0 };
    await until(async () => {
      await steady.ask();
      const now = figuresOf(pid);
      most.descriptors = Math.max(most.descriptors, now.descriptors);
      most.residentMiB = Math.max(most.residentMiB, now.residentMiB);
      return floods.every(({ told }) => told.tried === each && told.opened > 0);
    }, 12_000);
    // The clients hold what they have: it is the gateway that ends it, long before they would time out.
    await until(() => floods.some(({ told }) => told.closed > 0));
    await until(() => gateway.logged.some((line) => line.includes("connections that ask nothing are ended")));
    await steady.ask();
    const health = () => fetch(`${gateway.url}/health`, { signal: AbortSignal.timeout(4000) });
    await until(async () => (await health().catch(() => null))?.status === 200, 12_000);
    const idle = figuresOf(pid).cpuMs;
    const idleFrom = performance.now();
    await Bun.sleep(1000);
    const share = (figuresOf(pid).cpuMs - idle) / (performance.now() - idleFrom);
    expect(share).toBeLessThan(0.8);
    expect(most.residentMiB - before.residentMiB).toBeLessThan(120);
    const opened = floods.reduce((sum, { told }) => sum + told.opened, 0);
    report(`${each * floods.length} connections`, {
      opened,
      descriptors: most.descriptors,
      grownMiB: most.residentMiB - before.residentMiB,
      cpuPercent: share * 100,
    });
    await steady.ask();
  } finally {
    for (const { child } of floods) child.kill("SIGKILL");
  }
  await until(() => figuresOf(pid).descriptors < 6000);
  await expectUsable(gateway);
}, 30_000);

function startFlood(host: string, port: number, count: number, text: string) {
  const child = Bun.spawn([process.execPath, FLOOD, host, String(port), String(count), text], { stdout: "pipe" });
  const flood = { child, told: NONE };
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      const line = decoder.decode(chunk).trimEnd().split("\n").at(-1);
      if (line !== undefined) flood.told = JSON.parse(line) as Flood;
    }
  })();
  return flood;
}

/** The agents that the gateway runs. */
async function childrenOf({ child: { pid } }: Gateway): Promise<number[]> {
  const children = (await Bun.file(`/proc/${pid}/task/${pid}/children`).text()).trim().split(" ").map(Number);
  expect(children.length).toBeGreaterThan(0);
  return children;
}

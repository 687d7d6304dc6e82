import { describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startGateway, temporaryFolder, TOKEN, until } from "../support/gateway.ts";
import { rawRequest, statusOf } from "../support/raw-http.ts";

const MiB = 1024 * 1024;
const AUTH = `Authorization: Bearer ${TOKEN}\r\n`;

type Gateway = Awaited<ReturnType<typeof startGateway>>;

async function rssOf({ child }: Gateway): Promise<number> {
  const status = await Bun.file(`/proc/${child.pid}/status`).text();
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** Opens so many connections, writes the same to each, and gives them back with what they answered. */
async function openMany(
  port: number,
  count: number,
  text: string,
): Promise<{ socket: Socket; answer: () => string }[]> {
  const opened = [];
  for (let index = 0; index < count; index += 1) {
    let answer = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.write(text);
    opened.push({ socket, answer: () => answer });
    // A listener's queue is as long as the system allows; this is about what comes after it.
    if (index % 500 === 499) await Bun.sleep(10);
  }
  return opened;
}

describe("attacks on the gateway", () => {
  test("no token, another's name, a page of elsewhere: nothing of it gets through on any route", async () => {
    await using gateway = await startGateway({ AGENTPOD_GATEWAY_LIMIT_WRONG_TOKENS_PER_MINUTE: "0" });
    const document = (await (await gateway.get("/openapi.json")).json()) as {
      paths: Record<string, Record<string, { security?: unknown[] }>>;
    };
    let tried = 0;
    for (const [template, operations] of Object.entries(document.paths)) {
      const path = template.replaceAll(/\{\w+\}/g, "x");
      for (const [name, operation] of Object.entries(operations)) {
        const isPublic = operation.security?.length === 0;
        const method = name.startsWith("x-") ? "GET" : name.toUpperCase();
        if (isPublic) continue;
        tried += 1;
        const answers = await Promise.all([
          fetch(gateway.url + path, { method }),
          fetch(gateway.url + path, { method, headers: { authorization: "Bearer wrong-token-wrong-token" } }),
          fetch(`${gateway.url}${path}?ticket=wrong`, {
            method,
            headers: { cookie: "agentpod_gateway=main~99999999999999~x" },
          }),
          gateway.get(path, { method, headers: { origin: "https://evil.example" } }),
        ]);
        expect([method, path, ...answers.map(({ status }) => status)]).toEqual([method, path, 401, 401, 401, 403]);
        const renamed = await rawRequest(gateway.listening.port, [
          `${method} ${path} HTTP/1.1\r\nHost: evil.example\r\n${AUTH}Connection: close\r\nContent-Length: 0\r\n\r\n`,
        ]);
        expect([method, path, statusOf(renamed)]).toEqual([method, path, 421]);
      }
    }
    expect(tried).toBeGreaterThan(40);
  });

  test("a token reaches what its scopes say, and nothing that stands for more", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "tokens.json");
    const scopes = { reader: ["read"], prompter: ["read", "prompt"] };
    const tokenOf = (name: string) => `the-token-of-the-${name}`;
    await writeFile(
      file,
      JSON.stringify(Object.entries(scopes).map(([name, list]) => ({ name, token: tokenOf(name), scopes: list }))),
    );
    await using gateway = await startGateway({ AGENTPOD_GATEWAY_TOKENS_FILE: file });
    const as = (name: string) => ({ authorization: `Bearer ${tokenOf(name)}` });
    const create = (name: string, more: object = {}) =>
      gateway.post("/v1/sessions", { agent: "scripted", ...more }, as(name)).then(({ status }) => status);
    expect(await create("reader")).toBe(403);
    expect(await create("prompter", { permissionPolicy: { mode: "allow-all" } })).toBe(403);
    const mcpServers = [{ name: "x", command: "sh", args: ["-c", "id"] }];
    expect(await create("prompter", { mcpServers })).toBe(403);
    expect(await create("prompter", { mode: "auto" })).toBe(403);
    expect(await create("prompter", { config: { mode: "auto" } })).toBe(403);
    // A variable that is no key or address may name a file of settings, and settings name commands.
    expect(await create("prompter", { env: { SCRIPTED_AGENT_STATE: "/tmp" } })).toBe(403);
    expect(await create("prompter")).toBe(201);
    const [{ id } = { id: "" }] = ((await (await gateway.get("/v1/sessions")).json()) as { sessions: { id: string }[] })
      .sessions;
    const patch = await gateway.get(`/v1/sessions/${id}`, {
      method: "PATCH",
      body: '{"permissionPolicy":{"mode":"rules","rules":[{"decision":"allow"}]}}',
      headers: { ...as("prompter"), "content-type": "application/json" },
    });
    expect(patch.status).toBe(403);
    const mode = { modeId: "auto" };
    expect((await gateway.post(`/v1/sessions/${id}/mode`, mode, as("prompter"))).status).toBe(403);
    const option = { configId: "model", value: "large" };
    expect((await gateway.post(`/v1/sessions/${id}/config`, option, as("prompter"))).status).toBe(200);
    for (const path of [
      "/v1/terminals",
      `/v1/sessions/${id}/authenticate`,
      `/v1/sessions/${id}/call`,
      "/v1/agents/scripted/install",
    ]) {
      expect([path, (await gateway.post(path, {}, as("prompter"))).status]).toEqual([path, 403]);
    }
    expect(
      (await gateway.post(`/v1/sessions/${id}/permissions/x`, { decision: "cancel" }, as("prompter"))).status,
    ).toBe(403);
    expect((await gateway.get("/v1/fs/x", { headers: as("reader") })).status).toBe(403);
  });

  test("commands in an agent's id, its folder or its variables start nothing", async () => {
    await using gateway = await startGateway();
    const tries: object[] = [
      { agent: "scripted; touch pwned" },
      { agent: "../../bin/sh" },
      { agent: "scripted", cwd: "$(touch pwned)" },
      { agent: "scripted", env: { LD_PRELOAD: "/tmp/x.so" } },
      { agent: "scripted", env: { AGENTPOD_GATEWAY_TOKEN: "x" } },
      { agent: "scripted", env: { PATH: "/tmp" } },
      { agent: "scripted", command: ["sh", "-c", "touch pwned"] },
    ];
    for (const body of tries) expect((await gateway.post("/v1/sessions", body)).status).toBeOneOf([400, 403, 404]);
    expect((await gateway.post("/v1/agents/..%2f..%2fsh/probe")).status).toBe(404);
    expect(await Bun.file(join(gateway.workspace, "pwned")).exists()).toBe(false);
    expect((await (await gateway.get("/metrics")).text()).includes("acp_gateway_agents_running 0\n")).toBe(true);
  });

  test("bodies of 100 MB, announced or in chunks, are refused and take no memory", async () => {
    await using gateway = await startGateway();
    const { port } = gateway.listening;
    const part = Buffer.alloc(64 * 1024, "x");
    const chunk = Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]);
    function* body(head: string, piece: Buffer) {
      yield `POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\n${AUTH}Content-Type: application/json\r\n${head}\r\n\r\n`;
      for (let sent = 0; sent < 100 * MiB; sent += part.length) yield piece;
    }
    const before = await rssOf(gateway);
    const announced = Array.from({ length: 8 }, () => rawRequest(port, body(`Content-Length: ${100 * MiB}`, part)));
    const chunked = Array.from({ length: 8 }, () => rawRequest(port, body("Transfer-Encoding: chunked", chunk)));
    const statuses = (await Promise.all([...announced, ...chunked])).map(statusOf);
    // 0: who goes on sending after the refusal has the connection closed on it, and may not see the answer.
    for (const status of statuses.slice(0, 8)) expect(status).toBeOneOf([413, 0]);
    // In chunks all of them together may be too much before one of them is.
    for (const status of statuses.slice(8)) expect(status).toBeOneOf([413, 429, 0]);
    expect((await rssOf(gateway)) - before).toBeLessThan(200 * MiB);
    expect((await gateway.get("/health")).status).toBe(200);
  }, 30_000);

  test("thousands of connections and requests leave it answering others", async () => {
    await using gateway = await startGateway();
    const { port } = gateway.listening;
    const made = (await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
    const before = await rssOf(gateway);
    const silent = await openMany(port, 2000, "");
    const halves = await openMany(port, 2000, "GET /v1/agents HTTP/1.1\r\nHost: loc");
    const waiting = await openMany(
      port,
      4000,
      `GET /v1/sessions/${made.id}/events?wait=60&after=latest HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n${AUTH}\r\n`,
    );
    try {
      await until(() => waiting.filter(({ answer }) => answer().includes("HTTP/1.1 429")).length >= 4000 - 1025);
      expect(waiting.filter(({ answer }) => answer().includes("HTTP/1.1 429")).length).toBeLessThan(4000 - 1000);
      const asked = performance.now();
      expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
      expect(performance.now() - asked).toBeLessThan(1000);
      expect((await gateway.get("/v1/agents/nobody")).status).toBe(429);
      expect((await rssOf(gateway)) - before).toBeLessThan(120 * MiB);
    } finally {
      for (const { socket } of [...silent, ...halves, ...waiting]) socket.destroy();
    }
    await until(async () => (await gateway.get("/v1/sessions")).status === 200);
  }, 60_000);

  test("more connections than it can have files end with their clients, not with it", async () => {
    const limited = await temporaryFolder();
    await using _ = limited;
    const start = join(limited.path, "start.sh");
    // The gateway runs with 200 files: far fewer than the clients that come.
    await writeFile(start, `ulimit -n 200; exec "$0" "$@"`);
    await using gateway = await startGateway({}, { shell: start });
    const { port } = gateway.listening;
    const many = await openMany(port, 1000, "GET /v1/agents HTTP/1.1\r\nHost: loc");
    for (const { socket } of many) socket.destroy();
    await until(async () => (await gateway.get("/health").catch(() => null))?.status === 200);
    expect((await gateway.post("/v1/sessions", { agent: "scripted" })).status).toBe(201);
  }, 30_000);

  test("a client that reads nothing costs little, and others get all", async () => {
    await using gateway = await startGateway();
    const { id } = (await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
    const path = `/v1/sessions/${id}/events`;
    const deaf = Array.from({ length: 10 }, () => {
      const socket = connect(gateway.listening.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.pause();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${AUTH}\r\n`);
      return socket;
    });
    const before = await rssOf(gateway);
    const done = await gateway.post(`/v1/sessions/${id}/prompt?wait=30`, { text: "flood 100000 1000" });
    expect(done.status).toBe(200);
    const stream = await gateway.get(`${path}?until=idle&types=agent_message_chunk`, {
      headers: { accept: "application/x-ndjson" },
    });
    const lines = (await stream.text()).split("\n").filter(Boolean);
    expect(lines).toHaveLength(100_000);
    // Kept for each of them it would be a gigabyte.
    expect((await rssOf(gateway)) - before).toBeLessThan(300 * MiB);
    for (const socket of deaf) socket.destroy();
  }, 60_000);
});

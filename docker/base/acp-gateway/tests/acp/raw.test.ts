import { describe, expect, test } from "bun:test";
import { until } from "../support/gateway.ts";
import { startAcpServer } from "./support/server.ts";
import { connectSocket, INITIALIZE, type Message, textOf } from "./support/socket-client.ts";
import { connectTcp, UPGRADE } from "./support/tcp-client.ts";
import { TOKENS } from "./support/tokens.ts";

type Server = Awaited<ReturnType<typeof startAcpServer>>;
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Lines as they came, beside what they say. */
async function connectRaw(server: Server, agent = "scripted", token = TOKENS.main) {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/raw/${agent}`, ["acp.v1", `bearer.${token}`]);
  const lines: string[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason })),
  );
  socket.addEventListener("message", ({ data }) => void lines.push(String(data)));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("refused")));
  });
  const send = (message: object) => socket.send(JSON.stringify({ jsonrpc: "2.0", ...message }));
  async function answer(id: number): Promise<Message> {
    const is = (line: string) => line.startsWith("{") && (JSON.parse(line) as Message).id === id;
    await until(() => lines.some(is));
    return JSON.parse(lines.find(is) ?? "") as Message;
  }
  send({ id: 1, method: "initialize", params: INITIALIZE });
  await answer(1);
  send({ id: 2, method: "session/new", params: { cwd: server.folder, mcpServers: [] } });
  const { result } = await answer(2);
  const sessionId = textOf(result, "sessionId");
  return {
    socket,
    lines,
    closed,
    answer,
    prompt: (id: number, text: string) =>
      send({ id, method: "session/prompt", params: { sessionId, prompt: [{ type: "text", text }] } }),
    [Symbol.dispose]: () => socket.close(),
  };
}

async function pidOf(client: Awaited<ReturnType<typeof connectRaw>>, command = "pid"): Promise<number> {
  const from = client.lines.length;
  client.prompt(90 + from, command);
  await client.answer(90 + from);
  return Number(/"text":"(\d+)"/.exec(client.lines.slice(from).join("\n"))?.[1]);
}

describe("/acp/raw/:agent", () => {
  test("lines pass untouched both ways, also those that are no JSON", async () => {
    await using server = await startAcpServer();
    using client = await connectRaw(server);
    const odd = ["not json at all", '{"a" :  1.0, "b":1e400,"b":2}  ', "\tünïcödé ✓ 𝄞"];
    client.prompt(3, odd.map((line) => `raw ${line}`).join("\n"));
    await client.answer(3);
    expect(client.lines).toContain("not json at all");
    expect(client.lines).toContain('{"a" :  1.0, "b":1e400,"b":2}');
    expect(client.lines.join()).toContain("ünïcödé ✓ 𝄞");
  });

  test("each socket has a process, which ends with it, children included", async () => {
    await using server = await startAcpServer();
    using one = await connectRaw(server);
    using two = await connectRaw(server);
    const [first, second] = [await pidOf(one), await pidOf(two)];
    expect(first).not.toBe(second);
    const child = await pidOf(one, "fork");
    expect(server.counts().processes).toBe(2);
    expect(server.clientsAttached()).toBe(2);
    one.socket.terminate();
    await until(() => !isAlive(first) && !isAlive(child));
    expect(isAlive(second)).toBe(true);
    two.socket.close();
    await until(() => !isAlive(second) && server.counts().processes === 0);
    expect(server.clientsAttached()).toBe(0);
    expect(server.agents.running()).toEqual([]);
  }, 20_000);

  test("a process that ends closes its socket and says how", async () => {
    await using server = await startAcpServer();
    using client = await connectRaw(server);
    client.prompt(3, "text last words\nexit 3");
    expect(await client.closed).toEqual({ code: 1011, reason: "the agent ended with code 3" });
    expect(client.lines.join()).toContain("last words");
  });

  test("only admin may, and only what is known and here", async () => {
    await using server = await startAcpServer();
    const status = async (agent: string, token: string) => {
      const headers = { ...UPGRADE, authorization: `Bearer ${token}` };
      const { status } = await fetch(`${server.url}/raw/${agent}`, { headers });
      return status;
    };
    expect(await status("scripted", TOKENS.prompter)).toBe(403);
    expect(await status("nobody", TOKENS.main)).toBe(404);
    expect(await status("absent", TOKENS.main)).toBe(409);
    expect(await status("..%2f..%2fbin%2fsh", TOKENS.main)).toBe(404);
    expect(server.counts().processes).toBe(0);
  });

  test("an agent waits for a socket that does not read, and the socket is closed after the stall", async () => {
    await using server = await startAcpServer({ socketBytes: 256 * 1024, stallMs: 500 });
    using stuck = await connectTcp(`${server.url}/raw/scripted`, UPGRADE);
    await stuck.until("101 Switching");
    stuck.frame(
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "session/new", params: { cwd: server.folder, mcpServers: [] } }),
    );
    await stuck.until('"id":1');
    const sessionId = /agent-[0-9a-f-]{36}/.exec(stuck.received().toString())?.[0] ?? "";
    stuck.socket.pause();
    stuck.frame(
      JSON.stringify({
        jsonrpc: "2.0",
        id: 2,
        method: "session/prompt",
        params: { sessionId, prompt: [{ type: "text", text: "flood 100000 1000" }] },
      }),
    );
    await until(() => server.counts().processes === 0);
    stuck.socket.resume();
    await stuck.ended;
    expect(stuck.bytes).toBeLessThan(50_000_000);
  }, 20_000);

  test("many sockets opened and dropped leave no process", async () => {
    await using server = await startAcpServer();
    await Promise.all(
      Array.from({ length: 16 }, async (_, index) => {
        const url = `${server.url}/raw/scripted`;
        if (index % 2 === 0) (await connectSocket(url)).socket.terminate();
        else (await connectRaw(server)).socket.terminate();
      }),
    );
    await until(() => server.counts().processes === 0 && server.agents.running().length === 0);
  }, 20_000);
});

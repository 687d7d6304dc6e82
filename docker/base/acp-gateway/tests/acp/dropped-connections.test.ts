import { readdirSync } from "node:fs";
import { expect, test } from "bun:test";
import { client } from "@agentclientprotocol/sdk";
import { createHttpStream } from "@agentclientprotocol/sdk/experimental/http-client";
import { TOKEN, until } from "../support/gateway.ts";
import { startGatewayProcess } from "./support/gateway-process.ts";
import { INITIALIZE } from "./support/socket-client.ts";

const ROUNDS = 5;
const SOCKETS = 60;
const STREAMS = 15;

test("a gateway that hundreds of clients left holds no socket, no reader and no client of theirs", async () => {
  await using gateway = await startGatewayProcess();
  const { id: sessionId } = await gateway.rest.create({});
  await gateway.rest.ask(sessionId, "say 50");
  const files = () => readdirSync(`/proc/${gateway.pid}/fd`).length;
  const load = { sessionId, cwd: gateway.workspace, mcpServers: [] };
  const before = files();

  async function dropSocket(index: number): Promise<void> {
    const socket = new WebSocket(gateway.socketUrl, ["acp.v1", `bearer.${TOKEN}`]);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    const send = (id: number, method: string, params: object) =>
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    if (index % 4 !== 0) send(1, "initialize", INITIALIZE);
    if (index % 4 > 1) send(2, "session/load", load);
    if (index % 4 === 3) await new Promise((resolve) => socket.addEventListener("message", resolve));
    socket.terminate();
  }

  async function leaveStream(): Promise<void> {
    const stream = createHttpStream(gateway.url, { headers: { authorization: `Bearer ${TOKEN}` } });
    await client({}).connectWith(stream, async (agent) => {
      await agent.request("initialize", { protocolVersion: 1, clientCapabilities: {} });
      await agent.request("session/load", load);
    });
  }

  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(Array.from({ length: SOCKETS }, (_, index) => dropSocket(index)));
    await Promise.all(Array.from({ length: STREAMS }, leaveStream));
  }
  await until(async () => (await gateway.rest.clientsAttached()) === 0);
  // What is left is what the test's own HTTP client keeps open for its next requests.
  await until(() => files() <= before + 3 * STREAMS);
  expect((await gateway.rest.ask(sessionId, "text still here")).text).toBe("still here");
}, 60_000);

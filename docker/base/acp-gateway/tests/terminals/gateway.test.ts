import { expect, test } from "bun:test";
import { terminal } from "../../src/wire/index.ts";
import { startGateway, TOKEN, until } from "../support/gateway.ts";

const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a terminal is open as long as the gateway, knows nothing of its token, and counts as activity", async () => {
  await using gateway = await startGateway();
  const url = `${gateway.url}/v1/terminals`;
  const command = ["sh", "-c", "env; trap '' HUP TERM; sleep 300 & echo all; wait"];
  const made = await fetch(url, { method: "POST", headers, body: JSON.stringify({ command }) });
  const { id, pid } = terminal.parse(await made.json());
  expect((await fetch(url)).status).toBe(401);
  const socket = new WebSocket(`${url.replace("http", "ws")}/${id}/ws`, { headers });
  let output = "";
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== "string") output += new TextDecoder().decode(data);
  });
  await until(() => output.includes("all"));
  expect(output).toContain("PWD=");
  expect(output).not.toContain(TOKEN);
  const activity = await (await fetch(`${gateway.url}/v1/activity`, { headers })).json();
  expect(activity).toMatchObject({ idle: false, terminalsOpen: 1 });
  expect(isThere(pid)).toBeTrue();
  gateway.child.kill("SIGTERM");
  expect(await gateway.child.exited).toBe(0);
  await until(() => !isThere(pid));
}, 20_000);

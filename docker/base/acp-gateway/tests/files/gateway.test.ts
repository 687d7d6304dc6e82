import { expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { startGateway, TOKEN } from "../support/gateway.ts";
import { refusal } from "./support/world.ts";

const headers = { authorization: `Bearer ${TOKEN}` };

test("the gateway serves the workspace to who may have files, and never its own folder", async () => {
  await using gateway = await startGateway();
  const call = (path: string, init: RequestInit = {}) => fetch(`${gateway.url}/v1/fs/${path}`, { headers, ...init });
  expect((await call("a%20b.txt", { method: "PUT", body: "text" })).status).toBe(201);
  expect(await (await call("a%20b.txt")).text()).toBe("text");
  expect((await fetch(`${gateway.url}/v1/fs/a%20b.txt`)).status).toBe(401);
  expect(await readdir(gateway.workspace)).toContain(".agentpod");
  for (const path of [".agentpod/", ".agentpod/gateway/gateway.sqlite", ".agentpod/x"]) {
    expect(await refusal(await call(path))).toEqual([403, "path_not_allowed"]);
    expect(await refusal(await call(path, { method: "DELETE" }))).toEqual([403, "path_not_allowed"]);
  }
  expect(await refusal(await call("", { method: "DELETE" }))).toEqual([403, "path_not_allowed"]);
  const page = await (await call("")).text();
  expect(page).toContain('"a b.txt"');
  expect(page).not.toContain("agentpod");
});

test("a file of the largest size is taken whole, and one byte more is not", async () => {
  await using gateway = await startGateway({ AGENTPOD_GATEWAY_LIMIT_FILE_BYTES: String(40 * 1024 * 1024) });
  const body = new Uint8Array(40 * 1024 * 1024).fill(7);
  const url = `${gateway.url}/v1/fs/large`;
  expect((await fetch(url, { method: "PUT", body, headers })).status).toBe(201);
  const more = await fetch(url, { method: "PUT", body: new Uint8Array(body.length + 1), headers });
  expect(await refusal(more)).toEqual([413, "body_too_large"]);
  expect(Buffer.from(await (await fetch(url, { headers })).arrayBuffer()).equals(body)).toBeTrue();
});

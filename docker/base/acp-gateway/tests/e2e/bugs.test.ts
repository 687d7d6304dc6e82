import { join } from "node:path";
import { expect, test } from "bun:test";
import { startGateway, temporaryFolder, TOKEN, until } from "../support/gateway.ts";

const FAILING = join(import.meta.dir, "../support/failing-gateway.ts");
const KEY = "sk-of-the-tests-0123456789";

type Line = { message: string; reason?: string; frames?: string[] };
const bugs = (logged: readonly string[], message: string) =>
  logged.map((line) => JSON.parse(line) as Line).filter((line) => line.message === message);

test("a rejection that nobody hears of is one line in the log, without secrets, and ends no session", async () => {
  await using gateway = await startGateway({ SOME_API_KEY: KEY }, { entry: FAILING });
  const { id } = (await (await gateway.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
  const running = gateway.post(`/v1/sessions/${id}/prompt?wait=20`, { text: "say 20 20\ntext done" });
  gateway.child.kill("SIGUSR2");
  await until(() => bugs(gateway.logged, "unhandled rejection").length === 1);
  expect(await (await running).json()).toMatchObject({ status: "finished", text: expect.stringMatching(/done$/) });
  gateway.child.kill("SIGUSR2");
  await until(() => bugs(gateway.logged, "unhandled rejection").length === 2);
  expect((await gateway.get(`/v1/sessions/${id}`)).status).toBe(200);
  const [bug] = bugs(gateway.logged, "unhandled rejection");
  expect(bug?.reason).toBe('a rejection of the tests with [secret] and "[secret]" and [secret]');
  expect(bug?.frames?.[0]).toContain("failing-gateway.ts");
  expect(gateway.logged.join("\n")).not.toContain(TOKEN);
  expect(gateway.logged.join("\n")).not.toContain(KEY);
}, 30_000);

test("an exception that nobody catches ends the gateway in order with exit code 1, and everything said is in the log", async () => {
  await using folder = await temporaryFolder();
  const before = await startGateway({}, { entry: FAILING, workspace: folder.path });
  const { id } = (await (await before.post("/v1/sessions", { agent: "scripted" })).json()) as { id: string };
  const prompt = (await (await before.post(`/v1/sessions/${id}/prompt`, { text: "text begun\nhang" })).json()) as {
    promptId: string;
  };
  const events = async (gateway: typeof before) =>
    await (await gateway.get(`/v1/sessions/${id}/events`, { headers: { accept: "application/json" } })).text();
  await until(async () => (await events(before)).includes("begun"));
  before.child.kill("SIGHUP");
  expect(await before.child.exited).toBe(1);
  const [bug, ...others] = bugs(before.logged, "uncaught exception");
  expect(others).toEqual([]);
  expect(bug?.reason).toBe("an exception of the tests with [secret]");
  await before[Symbol.asyncDispose]();
  await using after = await startGateway({}, { workspace: folder.path });
  const told = await events(after);
  expect(told).toContain("begun");
  expect(told.match(/"type":"prompt_interrupted"/g)).toHaveLength(1);
  expect(await (await after.get(`/v1/sessions/${id}/prompts/${prompt.promptId}`)).json()).toMatchObject({
    status: "interrupted",
  });
}, 30_000);

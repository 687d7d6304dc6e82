import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { GatewayEvent } from "../../src/index.ts";
import { AGENTS } from "./agents.ts";
import { cacheFolder, installNode } from "./install.ts";
import { createWorld, type World } from "./world.ts";

/** Installing and first starts take their time on a busy machine. */
const SLOW = 300_000;
const chosen = (process.env["AGENTPOD_REAL_AGENTS"] ?? "opencode").split(",").filter(Boolean);
const cache = cacheFolder(process.env);

const collect = async (events: AsyncIterable<GatewayEvent>, last: (event: GatewayEvent) => boolean) => {
  const found: GatewayEvent[] = [];
  for await (const event of events) {
    found.push(event);
    if (last(event)) break;
  }
  return found;
};
const typesOf = (events: readonly GatewayEvent[]) => events.map(({ type }) => type);
const endOf = (promptId: string) => (event: GatewayEvent) =>
  event.promptId === promptId && /^prompt_(finished|failed|cancelled|interrupted)$/.test(event.type);
const textOf = (events: readonly GatewayEvent[]) =>
  events
    .filter(({ type }) => type === "agent_message_chunk")
    .map(({ update }) => (update?.["content"] as { text?: string } | undefined)?.text ?? "")
    .join("");

for (const agent of chosen) {
  if (!(agent in AGENTS)) throw new Error(`no such agent: ${agent}; there are ${Object.keys(AGENTS).join(", ")}`);

  describe(`${agent}, as npm has it, behind the gateway`, () => {
    let world: World;

    beforeAll(async () => {
      const node = await installNode(cache);
      const system = `${node}:/usr/local/bin:/usr/bin:/bin`;
      await using installer = await createWorld({
        agent,
        path: system,
        env: { ...networkOf(process.env), AGENTPOD_AGENT_INSTALL: "1", AGENTPOD_GATEWAY_DATA: join(cache, agent) },
      });
      const report = await installer.client.installAgent(agent);
      expect(report.installed).toBe(true);
      await installer[Symbol.asyncDispose]();
      world = await createWorld({ agent, path: system, env: { AGENTPOD_AGENTS_FOLDER: join(cache, agent, "agents") } });
    }, SLOW);
    afterAll(() => world?.[Symbol.asyncDispose]());

    test(
      "answers a prompt in streamed chunks",
      async () => {
        const { client } = world;
        const session = await world.newSession();
        const { promptId, seq } = await client.prompt(session.id, "say 20");
        const events = await collect(client.events(session.id, { after: seq }), endOf(promptId));
        expect(textOf(events)).toContain("w0 w1 w2");
        expect(textOf(events)).toContain("w19");
        expect(events.filter(({ type }) => type === "agent_message_chunk").length).toBeGreaterThan(2);
        expect(events.at(-1)).toMatchObject({ type: "prompt_finished", data: { stopReason: "end_turn" } });
        await client.deleteSession(session.id);
      },
      SLOW,
    );

    test(
      "asks for permission, which is given over REST, and writes the file",
      async () => {
        const { client, workspace } = world;
        const session = await world.newSession();
        const file = join(workspace, "hello.txt");
        const { promptId, seq } = await client.prompt(session.id, `write ${file} hi there`);
        const asked = await collect(
          client.events(session.id, { after: seq }),
          ({ type }) => type === "permission_requested",
        );
        const [pending] = (await client.permissions(session.id)).filter(({ status }) => status === "pending");
        expect(pending).toBeDefined();
        await client.answerPermission(session.id, pending?.id ?? "", { decision: "allow_once" });
        const rest = await collect(client.events(session.id, { after: asked.at(-1)?.seq ?? 0 }), endOf(promptId));
        expect(rest.at(-1)?.type).toBe("prompt_finished");
        expect(typesOf(rest)).toContain("permission_resolved");
        expect((await readFile(file, "utf8")).trim()).toBe("hi there");
        await client.deleteSession(session.id);
      },
      SLOW,
    );

    test(
      "is cancelled while a permission is pending",
      async () => {
        const { client, workspace } = world;
        const session = await world.newSession();
        const { promptId, seq } = await client.prompt(session.id, `write ${join(workspace, "never.txt")} no`);
        await collect(client.events(session.id, { after: seq }), ({ type }) => type === "permission_requested");
        await client.cancel(session.id);
        await collect(client.events(session.id, { after: seq }), endOf(promptId));
        expect(await client.promptOf(session.id, promptId)).toMatchObject({ status: "cancelled" });
        expect((await client.permissions(session.id)).map(({ status }) => status)).not.toContain("pending");
        expect(await Bun.file(join(workspace, "never.txt")).exists()).toBe(false);
        await client.deleteSession(session.id);
      },
      SLOW,
    );

    test(
      "gets two prompts at once one after the other",
      async () => {
        const { client } = world;
        const session = await world.newSession();
        const [first, second] = await Promise.all([
          client.prompt(session.id, "say 30"),
          client.prompt(session.id, "say 3"),
        ]);
        const ends = await collect(client.events(session.id, { after: 0 }), (event) =>
          endOf(first.seq < second.seq ? second.promptId : first.promptId)(event),
        );
        const turns = ends.filter(({ type }) => /^prompt_(started|finished)$/.test(type)).map(({ type }) => type);
        expect(turns).toEqual(["prompt_started", "prompt_finished", "prompt_started", "prompt_finished"]);
        for (const { promptId } of [first, second]) {
          expect(await client.promptOf(session.id, promptId)).toMatchObject({
            status: "finished",
            stopReason: "end_turn",
          });
        }
        await client.deleteSession(session.id);
      },
      SLOW,
    );

    test(
      "killed in the middle of a prompt fails it within a second, and the next prompt works",
      async () => {
        const { client } = world;
        const session = await world.newSession();
        const { promptId, seq } = await client.prompt(session.id, "say 5000");
        await collect(client.events(session.id, { after: seq }), ({ type }) => type === "agent_message_chunk");
        const killedAt = performance.now();
        process.kill(await world.agentPid(session.id), "SIGKILL");
        const events = await collect(client.events(session.id, { after: seq }), endOf(promptId));
        const failedAfter = performance.now() - killedAt;
        expect(events.at(-1)?.type).toBe("prompt_failed");
        expect(typesOf(events)).toContain("agent_exited");
        expect(failedAfter).toBeLessThan(1000);
        const next = await client.ask(session.id, "say 3", { waitSeconds: 120 });
        expect(next).toMatchObject({ status: "finished", text: expect.stringContaining("w0 w1 w2") });
        await client.deleteSession(session.id);
      },
      SLOW,
    );

    test(
      "goes on for a reader whose gateway was killed in mid-stream",
      async () => {
        const { client } = world;
        const session = await world.newSession();
        const { promptId, seq } = await client.prompt(session.id, "say 5000");
        const reading = new AbortController();
        const seen: GatewayEvent[] = [];
        const reader = (async () => {
          for await (const event of client.events(session.id, { after: seq, signal: reading.signal, retryMs: 50 })) {
            seen.push(event);
            if (endOf(promptId)(event)) break;
          }
        })();
        while (seen.filter(({ type }) => type === "agent_message_chunk").length < 20) await Bun.sleep(5);
        await world.kill();
        const acknowledged = seen.map(({ seq }) => seq);
        await world.start();
        await reader;
        const logged = await collect(client.events(session.id, { after: seq }), endOf(promptId));
        expect(seen.map(({ seq }) => seq)).toEqual(logged.map(({ seq }) => seq));
        expect(logged.map(({ seq }) => seq).slice(0, acknowledged.length)).toEqual(acknowledged);
        expect(logged.at(-1)?.type).toBe("prompt_interrupted");
        const next = await client.ask(session.id, "say 3", { waitSeconds: 120 });
        expect(next).toMatchObject({ status: "finished", text: expect.stringContaining("w0 w1 w2") });
        await client.deleteSession(session.id);
      },
      SLOW,
    );
  });
}

/** What npm needs to reach its registry, of the environment of whoever runs this. */
function networkOf(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] =>
      /^(?:https?_proxy|no_proxy|npm_config_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_.*)$/i.test(entry[0]),
    ),
  );
}

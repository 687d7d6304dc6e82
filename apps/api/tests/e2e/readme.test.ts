import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startNpmRegistry } from "../../../../docker/base/acp-gateway/tests/support/npm-registry.ts";
import { type ApiProcess, startApi } from "../support/api-process.ts";
import { docBlocks } from "../support/doc-blocks.ts";
import { describeUnless } from "../support/engine.ts";
import { openShell, type ShellSession } from "../support/shell-session.ts";

const page = await Bun.file(resolve(import.meta.dir, "../../../../README.md")).text();
const [talk = "", allow = "", install = "", ...more] = docBlocks(page)
  .filter(({ section }) => section === "Talking to an agent")
  .map(({ script }) => script);
const missing = ["bash", "curl", "node", "npm"].filter((tool) => Bun.which(tool) === null);

/** An agent that tells whether it has a key; it stands for the one that a line of the page names. */
const agentCalled = (name: string) => `#!/usr/bin/env node
const say = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }));
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === "session/prompt") {
    const text = "${name} " + (process.env.ANTHROPIC_API_KEY ? "with" : "without") + " a key heard: " + params.prompt[0].text;
    const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
    say({ method: "session/update", params: { sessionId: params.sessionId, update } });
  }
  const results = { initialize: { protocolVersion: 1 }, "session/new": { sessionId: "ses_0f7he1r0wn" }, "session/prompt": { stopReason: "end_turn" } };
  if (id !== undefined) say({ id, result: results[method] ?? {} });
});`;

describeUnless(
  missing.length > 0 ? `its commands need ${missing.join(", ")}` : undefined,
  "a reader of README.md, with agents that have no model",
  () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "agentpod-reader-")));
    let registry: Awaited<ReturnType<typeof startNpmRegistry>>;
    let api: ApiProcess;
    let shell: ShellSession;

    /** The API with what the reader has put into `.env`. */
    const start = async () => {
      const file = /^SANDBOX_ENV_FILE=(.+)$/m.exec(readFileSync(join(folder, ".env"), "utf8"))?.[1];
      const env = { RUNTIME: "process", ...(file ? { SANDBOX_ENV_FILE: join(folder, file) } : {}) };
      api = await startApi({ dataDir: join(folder, "data"), env });
    };
    /** What a block prints, with waits as long as the test has. */
    const run = (script: string) => shell.run(script.replaceAll("wait=300", "wait=30"), 90_000);

    beforeAll(async () => {
      registry = await startNpmRegistry([
        {
          name: "claude-of-the-test",
          version: "1.0.0",
          bin: { claude: "a.js" },
          files: { "a.js": agentCalled("claude") },
        },
      ]);
      writeFileSync(join(folder, "opencode.cjs"), agentCalled("opencode"));
      const agents = [
        { id: "opencode", command: ["node", join(folder, "opencode.cjs")] },
        {
          id: "claude",
          command: ["claude"],
          install: { package: "claude-of-the-test", version: "1.0.0" },
          quirks: { minimumNode: 18 },
        },
      ];
      writeFileSync(join(folder, "agents.json"), JSON.stringify({ agents }));
      writeFileSync(
        join(folder, "sandboxes.env"),
        `AGENTPOD_AGENTS_FILE=${join(folder, "agents.json")}\nNPM_CONFIG_REGISTRY=${registry.url}\n`,
      );
      writeFileSync(join(folder, ".env"), "SANDBOX_ENV_FILE=sandboxes.env\n");
      await start();
      shell = openShell(folder, {
        PATH: process.env["PATH"] ?? "",
        HOME: folder,
        ANTHROPIC_API_KEY: "sk-of-the-reader",
      });
      await run(`api=${api.url} json='content-type: application/json'`);
    }, 60_000);

    afterAll(async () => {
      await shell.close();
      await api.end("SIGTERM");
      await registry.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test("can talk to OpenCode", async () => {
      expect(more).toEqual([]);
      const said = await run(talk);
      expect(said).toContain('"text":"opencode with a key heard: What is in this folder?"');
      expect(said).toContain("event: prompt_finished");
      expect(said).not.toContain("sk-of-the-reader");
    }, 120_000);

    test("can install Claude Code once that is allowed, and not before", async () => {
      expect(await run("curl -s -X POST $agent/agents/claude/install")).toContain("SANDBOX_ENV_FILE");
      await run(allow);
      await api.end("SIGTERM");
      await start();
      await run(`api=${api.url} agent=${api.url}/api/projects/$id/agent/v1`);
      // What is recorded as running may not have been looked at yet by an API that has just started.
      await run('until curl -sf -o /dev/null "$agent/agents"; do sleep 0.1; done');
      const said = await run(install);
      expect(said).toContain('"installed":true');
      expect(said).toContain('"text":"claude with a key heard: What is in this folder?"');
    }, 120_000);
  },
);

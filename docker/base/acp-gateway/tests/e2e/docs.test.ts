import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { docBlocks, printsAs } from "../../../../../apps/api/tests/support/doc-blocks.ts";
import { openShell, type ShellSession } from "../../../../../apps/api/tests/support/shell-session.ts";
import { BUILT_IN_AGENTS } from "../../src/agents/built-in-agents.ts";
import { applyAgentsFile } from "../../src/agents/agents-file.ts";
import { loadConfig } from "../../src/config.ts";
import { DEFAULT_LIMITS } from "../../src/config/limits.ts";
import { ERRORS } from "../../src/gateway-error.ts";
import { SCOPES } from "../../src/types.ts";
import { GATEWAY_EVENT_TYPES, permissionPolicy, sessionStatus } from "../../src/wire/index.ts";
import { startGateway } from "../support/gateway.ts";

const root = resolve(import.meta.dir, "../../../../..");
const markdown = await Bun.file(join(root, "docs/gateway.md")).text();
const blocks = docBlocks(markdown);
const sections = [...new Set(blocks.map(({ section }) => section))];

/** What stands in backticks, or plain, in the columns of the tables below a heading. */
function columns(heading: string): string[][] {
  const level = /^#+/.exec(heading)?.[0] ?? "";
  const start = markdown.indexOf(`\n${heading}\n`);
  expect(start, heading).toBeGreaterThan(0);
  const below = markdown.slice(start + heading.length + 2).split(new RegExp(`^#{1,${level.length}} `, "m"))[0] ?? "";
  return below
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| -"))
    .map((line) => line.slice(2, -2).split(/ *(?<!\\)\| */));
}

const bare = (cell = "") => cell.replaceAll("`", "").trim();
const firstOf = (heading: string) => columns(heading).map(([cell]) => bare(cell));

describe("docs/gateway.md", () => {
  test("leaves only this to readers", () => {
    const left = blocks.flatMap(({ notRun, script }) => (notRun === undefined ? [] : [script]));
    expect(left).toEqual(["npm install @agentclientprotocol/sdk@2.4.0"]);
  });

  test("names every variable that is read, and the defaults of those that have one", () => {
    const read = new Set<string>();
    const environment = { AGENTPOD_WORKSPACE: tmpdir(), AGENTPOD_GATEWAY_TOKEN: "0123456789abcdef" };
    const watched = new Proxy<Record<string, string>>(environment, {
      get(target, name) {
        read.add(String(name));
        return Reflect.get(target, name) as string | undefined;
      },
    });
    const config = loadConfig(watched);
    const tables = [...columns("## Settings"), ...columns("### Limits")];
    const documented = new Map(tables.map(([name, value]) => [bare(name), bare(value)]));
    documented.delete("variable");
    expect([...documented.keys()].toSorted()).toEqual([...read].toSorted());
    const defaults: Record<string, unknown> = {
      AGENTPOD_GATEWAY_PORT: config.port,
      AGENTPOD_GATEWAY_HOST: config.host,
      AGENTPOD_AGENT_IDLE_SECONDS: config.idleSeconds,
      AGENTPOD_AGENT_MEMORY_MB: config.agentMemoryBytes,
      AGENTPOD_PERMISSION_TIMEOUT_SECONDS: config.permissionTimeoutSeconds,
      AGENTPOD_GATEWAY_LOG_SYNCHRONOUS: config.log.synchronous,
      AGENTPOD_GATEWAY_LOG_MB: config.log.bytes / 1024 ** 2,
      AGENTPOD_GATEWAY_LOG_SESSION_MB: config.log.sessionBytes / 1024 ** 2,
      AGENTPOD_GATEWAY_LOG_DAYS: config.log.days,
    };
    for (const [name, value] of Object.entries(DEFAULT_LIMITS)) {
      defaults[`AGENTPOD_GATEWAY_LIMIT_${name.replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`] = value;
    }
    for (const [name, value] of Object.entries(defaults))
      expect(`${name} ${documented.get(name)}`).toBe(`${name} ${String(value)}`);
  });

  test("has every event, status, policy, scope and error", () => {
    expect(firstOf("## Events").slice(1)).toEqual(expect.arrayContaining([...GATEWAY_EVENT_TYPES]));
    expect(firstOf("## Events")).toHaveLength(GATEWAY_EVENT_TYPES.length + 1);
    expect(firstOf("## Sessions")).toEqual(expect.arrayContaining(sessionStatus.options));
    expect(firstOf("### Permission policies").slice(1)).toEqual(permissionPolicy.shape.mode.options);
    expect(firstOf("## Who may call")).toEqual(expect.arrayContaining([...SCOPES]));
    const codes = columns("## Errors").flatMap(([status, list]) =>
      bare(list)
        .split(", ")
        .map((code) => [code, Number(status)]),
    );
    expect(Object.fromEntries(codes.slice(1))).toEqual(
      Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status])),
    );
  });

  test("has the agents there are, and an example that adds one", () => {
    const known = BUILT_IN_AGENTS.map(({ id, name, install, quirks }) => [
      id,
      name,
      install ? `${install.package}@${install.version}` : id === "kilo" ? expect.any(String) : "not from npm",
      String(quirks.minimumNode ?? ""),
    ]);
    expect(
      columns("## Agents")
        .slice(1, known.length + 1)
        .map((row) => row.map(bare)),
    ).toEqual(known);
    const [example] = /(?<=```json\n)\{\n {2}"agents"[^`]*/.exec(markdown) ?? [];
    const problems: string[] = [];
    const ids = applyAgentsFile(BUILT_IN_AGENTS, JSON.parse(example ?? ""), problems).map(({ id }) => id);
    expect(problems).toEqual([]);
    expect(ids).toContain("mine");
    expect(ids).not.toContain("droid");
  });

  test("has the metrics there are", async () => {
    await using gateway = await startGateway();
    const text = await (await gateway.get("/metrics")).text();
    const families = Array.from(text.matchAll(/^# TYPE (\w+) (\w+)/gm), ([, name, type]) => [name, type]);
    expect(
      columns("## Watching it")
        .slice(1)
        .map(([name, type]) => [bare(name), type]),
    ).toEqual(families);
  });
});

const missing = ["bash", "curl"].filter((program) => Bun.which(program) === null);
const why = missing.length > 0 ? ` [skipped: its commands need ${missing.join(", ")}]` : "";

(why === "" ? describe : describe.skip)(`someone who follows docs/gateway.md${why}`, () => {
  let folder: string;
  let shell: ShellSession;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "acp-gateway-docs-")));
    await symlink(join(root, "docker"), join(folder, "docker"));
    await mkdir(join(folder, "node_modules/@agentclientprotocol"), { recursive: true });
    const sdk = "node_modules/@agentclientprotocol/sdk";
    await symlink(join(import.meta.dir, "../..", sdk), join(folder, sdk));
    const agent = join(import.meta.dir, "../support/scripted-agent.ts");
    const env = { SCRIPTED_AGENT_STATE: folder };
    const agents = [{ id: "opencode", command: [process.execPath, agent], env, quirks: { defaultMode: "auto" } }];
    const others = BUILT_IN_AGENTS.map(({ id }) => id).filter((id) => id !== "opencode");
    await writeFile(join(folder, "agents.json"), JSON.stringify({ agents, remove: others }));
    shell = openShell(folder, {
      PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      HOME: folder,
      LANG: "C.UTF-8",
      AGENTPOD_GATEWAY_PORT: String(freePort()),
      AGENTPOD_AGENTS_FILE: join(folder, "agents.json"),
    });
  });

  afterAll(async () => {
    await shell.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const section of sections) {
    test(`can follow "${section}"`, async () => {
      for (const { line, script, notRun, expected } of blocks.filter((block) => block.section === section)) {
        if (notRun !== undefined) continue;
        const printed = await shell.run(script, 60_000);
        if (expected === undefined || printsAs(expected, printed)) continue;
        expect(`${script}\n\n${printed}`, `what line ${line} prints`).toBe(`${script}\n\n${expected}\n`);
      }
    }, 120_000);
  }
});

function freePort(): number {
  using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  if (server.port === undefined) throw new Error("the system gave no port");
  return server.port;
}

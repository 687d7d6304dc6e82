import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ConfigError, loadConfig } from "../../src/config.ts";
import { whyReserved } from "../../src/runtimes/reserved-variables.ts";
import { gatewayEnvironment } from "../../src/runtimes/process/spawn-gateway.ts";
import { projectFolder } from "../../src/runtimes/process/project-folder.ts";
import { sandboxVariables } from "../../src/runtimes/sandbox-variables.ts";
import { parseSandboxEnv, readSandboxEnvFile } from "../../src/sandbox-env-file.ts";
import { makeSpec } from "../support/process-world.ts";

const folder = mkdtempSync(join(tmpdir(), "agentpod-env-file-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const repoRoot = resolve(import.meta.dir, "../../../..");

const problemsOf = (text: string) => parseSandboxEnv(text).problems;
function fileWith(content: string | Uint8Array): string {
  const path = join(folder, crypto.randomUUID());
  writeFileSync(path, content);
  return path;
}

describe("the file of variables for sandboxes", () => {
  test("has one NAME=value a line, with comments, blank lines and quotes as one likes", () => {
    const text = [
      "# proxies",
      "HTTPS_PROXY=http://user:pass#word@proxy.example:3128/?a=b",
      "  NO_PROXY = localhost,127.0.0.1  ",
      "",
      "EMPTY=",
      "QUOTED='  two  # words  '  # why",
      'DOUBLE="it\'s $HOME\\n as it stands"',
      'JSON={"a":[1,2]}',
      "__proto__=own\r",
    ].join("\r\n");
    const { variables, problems } = parseSandboxEnv(text);
    expect(problems).toEqual([]);
    expect(Object.entries(variables)).toEqual([
      ["HTTPS_PROXY", "http://user:pass#word@proxy.example:3128/?a=b"],
      ["NO_PROXY", "localhost,127.0.0.1"],
      ["EMPTY", ""],
      ["QUOTED", "  two  # words  "],
      ["DOUBLE", "it's $HOME\\n as it stands"],
      ["JSON", '{"a":[1,2]}'],
      ["__proto__", "own"],
    ]);
  });

  test("has all its problems told at once, by line and name, and no value of it", () => {
    const text = [
      "hunter2",
      "=hunter2",
      "2ND=hunter2",
      "export A=hunter2",
      "MY-NAME=hunter2",
      "B='hunter2",
      'C="hunter2"hunter2',
      "D=hunter2 # hunter2",
      "E=hun\0ter2",
      "F='hunter2\rhunter2'",
      "OK=1",
      "OK=hunter2",
      "PATH=hunter2",
      "AGENTPOD_GATEWAY_TOKEN=hunter2hunter2hunter2",
      "PORT=hunter2",
    ].join("\n");
    const problems = problemsOf(text);
    expect(problems.map((problem) => problem.split(":")[0])).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15].map((line) => `line ${line}`),
    );
    expect(problems.slice(5)).toEqual([
      "line 6: B has no closing quote in its line",
      "line 7: C goes on after its closing quote",
      "line 8: D has a # after a blank: put the value in quotes, or the comment above",
      "line 9: E holds a control character, such as NUL or a carriage return",
      "line 10: F holds a control character, such as NUL or a carriage return",
      "line 12: OK is in line 11 already; keep one of them",
      "line 13: PATH is the sandbox's own, which would break without it",
      "line 14: AGENTPOD_GATEWAY_TOKEN is set by AgentPod, for each sandbox its own",
      "line 15: PORT is set by Coolify, and means the app in the sandbox elsewhere",
    ]);
    expect(problems.join("\n")).not.toContain("hun");
  });

  test("that is the wrong one altogether is not told line by line", () => {
    const problems = problemsOf("no variable\n".repeat(5000));
    expect(problems.length).toBe(21);
    expect(problems.at(-1)).toBe("and 4980 more lines; is it the right file?");
  });

  test("has to be a file that can be read, of text and of no more than 64 KiB", () => {
    mkdirSync(join(folder, "a-folder"));
    const told = (path: string) => readSandboxEnvFile(path).problems.join();
    expect(told(join(folder, "nowhere"))).toBe("names a file that cannot be read (ENOENT)");
    expect(told(join(folder, "a-folder"))).toBe("names something that is no file");
    expect(told("/dev/zero")).toBe("names something that is no file");
    expect(told(fileWith(`A=${"x".repeat(64 * 1024)}`))).toBe("names a file of more than 64 KiB");
    expect(told(fileWith(Uint8Array.of(65, 61, 0xff, 0xfe)))).toBe("names a file that is not text in UTF-8");
    expect(readSandboxEnvFile(fileWith("\uFEFFA=1\n"))).toEqual({ variables: { A: "1" }, problems: [] });
  });
});

describe("SANDBOX_ENV_FILE", () => {
  const load = (env: Record<string, string>) => loadConfig(env, repoRoot);
  const coolify = {
    COOLIFY_URL: "https://coolify.example.com",
    COOLIFY_TOKEN: "1|abcdefgh",
    COOLIFY_PROJECT_UUID: "p1",
    COOLIFY_SERVER_UUID: "s1",
    WILDCARD_DOMAIN: "pods.example.com",
    REGISTRY_URL: "ghcr.io",
  };
  const problemsWith = (env: Record<string, string>) => {
    try {
      load(env);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.map(({ name, message }) => `${name}: ${message}`);
      throw error;
    }
    return [];
  };

  test("is read with the configuration, and nothing is set without it", () => {
    expect(load({}).sandboxEnv).toEqual({});
    const file = fileWith("AGENTPOD_AGENT_INSTALL=1\nHTTPS_PROXY=http://proxy.example:3128\n");
    expect(load({ SANDBOX_ENV_FILE: file }).sandboxEnv).toEqual({
      AGENTPOD_AGENT_INSTALL: "1",
      HTTPS_PROXY: "http://proxy.example:3128",
    });
  });

  test("stops the start together with all else that is wrong", () => {
    const file = fileWith("HOME=/tmp\nhunter2\n");
    expect(problemsWith({ PORT: "x", SANDBOX_ENV_FILE: file })).toEqual([
      "PORT: must be a port from 0 to 65535",
      "SANDBOX_ENV_FILE: line 1: HOME is the sandbox's own, which would break without it",
      expect.stringMatching(/^SANDBOX_ENV_FILE: line 2: must be NAME=value/),
    ]);
    expect(problemsWith({ SANDBOX_ENV_FILE: join(folder, "gone") })).toEqual([
      "SANDBOX_ENV_FILE: names a file that cannot be read (ENOENT)",
    ]);
  });

  test("holds nothing that Coolify would change or fail on, where Coolify is what sandboxes run on", () => {
    const file = fileWith('A="it\'s hunter2"\nB=fine\nC=hunter2\\\n');
    expect(problemsWith({ ...coolify, SANDBOX_ENV_FILE: file })).toEqual([
      "SANDBOX_ENV_FILE: A must not hold a single quote, on which Coolify's deployment fails",
      "SANDBOX_ENV_FILE: C must not end in a backslash, on which Coolify's deployment fails",
    ]);
    expect(problemsWith({ ...coolify, RUNTIME: "docker", SANDBOX_ENV_FILE: file })).toEqual([]);
  });
});

test("every name that a runtime sets itself is reserved", async () => {
  const spec = await makeSpec({
    sourceUrl: "https://git.example.com/a.git",
    urls: { opencode: null, acpGateway: "https://acp.example.com", codeServer: null, vnc: null, domainsConfig: "" },
  });
  const set = [
    ...Object.keys(sandboxVariables(spec)),
    ...Object.keys(gatewayEnvironment(spec, projectFolder("/data", spec.projectId), {})),
  ];
  expect(set.length).toBeGreaterThan(10);
  expect(set.filter((name) => whyReserved(name) === null)).toEqual([]);
});

import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineMissing, describeUnless } from "../../apps/api/tests/support/engine.ts";
import { runScript } from "./support/scripts.ts";

const misuses: { script: string; args: string[]; told: string; environment?: Record<string, string> }[] = [
  { script: "build.sh", args: [], told: "say what to build: all, base, flavors, addons, or --flavor FLAVOR" },
  { script: "build.sh", args: ["all", "base"], told: "one target at a time" },
  { script: "build.sh", args: ["all", "--flavor", "js"], told: "give a target or --flavor, not both" },
  { script: "build.sh", args: ["--flavor"], told: "--flavor needs a value" },
  { script: "build.sh", args: ["--flavor", "cobol"], told: "unknown flavor 'cobol'; there are: " },
  { script: "build.sh", args: ["--flavor", "js", "--addon", "../base"], told: "unknown addon '../base'; there are: " },
  { script: "build-base.sh", args: ["now"], told: "unknown argument 'now'" },
  { script: "build-flavor.sh", args: [], told: "name a flavor: " },
  { script: "build-flavor.sh", args: ["js", "go"], told: "one flavor at a time" },
  { script: "build-flavor.sh", args: ["cobol"], told: "unknown flavor 'cobol'" },
  { script: "build-addon.sh", args: [], told: "name an addon: " },
  { script: "build-addon.sh", args: ["code-server"], told: "name the image to build on: --base IMAGE" },
  { script: "build-addon.sh", args: ["fax", "--base", "agentpod-js"], told: "unknown addon 'fax'" },
  { script: "build-addon.sh", args: ["code-server", "--fast"], told: "unknown option '--fast'" },
  { script: "push.sh", args: [], told: "say what to push" },
  { script: "push.sh", args: ["everything"], told: "unknown argument 'everything'" },
  { script: "push.sh", args: ["flavor"], told: "name one flavor: " },
  { script: "push.sh", args: ["flavor", "cobol"], told: "unknown flavor 'cobol'" },
  { script: "push.sh", args: ["addon", "js"], told: "name a flavor and an addon" },
  { script: "push.sh", args: ["addon", "js", "fax"], told: "unknown addon 'fax'" },
  { script: "push.sh", args: ["base"], told: "REGISTRY_URL is not set", environment: { REGISTRY_URL: "" } },
  { script: "login.sh", args: ["secret"], told: "a password is never one" },
  { script: "login.sh", args: [], told: "REGISTRY_URL is not set", environment: { REGISTRY_URL: "" } },
  { script: "login.sh", args: [], told: "REGISTRY_USER is not set", environment: { REGISTRY_URL: "127.0.0.1:9" } },
  { script: "manifest.sh", args: ["--all"], told: "unknown argument '--all'" },
  { script: "debian-image.sh", args: ["--fast"], told: "unknown argument '--fast'" },
  ...["build-base.sh", "manifest.sh", "debian-image.sh"].flatMap((script) => [
    { script, args: [], told: "without https://", environment: { REGISTRY_URL: "https://registry.example.com" } },
    { script, args: [], told: "REGISTRY_OWNER is 'Acme'", environment: { REGISTRY_OWNER: "Acme" } },
    { script, args: [], told: "IMAGE_VERSION is '1.0 beta'", environment: { IMAGE_VERSION: "1.0 beta" } },
  ]),
];

for (const { script, args, told, environment } of misuses) {
  test(`${[script, ...args].join(" ")} says: ${told}`, async () => {
    const outcome = await runScript(script, args, environment);
    expect(outcome.stderr).toContain(told);
    expect(outcome.stderr).not.toContain("line ");
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
  });
}

const scripts = [
  "build.sh",
  "build-base.sh",
  "build-flavor.sh",
  "build-addon.sh",
  "push.sh",
  "login.sh",
  "manifest.sh",
  "debian-image.sh",
  "test-container.sh",
];
describe.each(scripts)("%s", (script) => {
  test("tells its usage and environment with --help, without an engine", async () => {
    const outcome = await runScript(script, ["--help"], { DOCKER_HOST: "unix:///nowhere.sock" });
    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(outcome.stdout).toContain(`Usage: ${script}`);
  });
});

const needEngine = [
  ["build.sh", "base"],
  ["build.sh", "--flavor", "js"],
  ["build-base.sh"],
  ["build-flavor.sh", "js"],
  ["build-addon.sh", "code-server", "--base", "agentpod-js"],
  ["push.sh", "base"],
  ["login.sh"],
  ["manifest.sh"],
  ["debian-image.sh"],
];
test.each(needEngine.map((command) => [command.join(" "), command]))(
  "%s without an engine says so",
  async (_, command) => {
    const [script = "", ...args] = command;
    const environment = { DOCKER_HOST: "unix:///nowhere.sock", REGISTRY_URL: "127.0.0.1:9", REGISTRY_USER: "me" };
    const outcome = await runScript(script, args, environment);
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    expect(outcome.stderr).toContain("no Docker engine answers; start one or set DOCKER_HOST");
  },
);

test("without the docker command that is what is said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "agentpod-path-"));
  const tools = ["bash", "cat", "dirname", "find", "sed", "sort", "awk", "env", "paste"];
  for (const tool of tools) await Bun.$`ln -s ${Bun.which(tool) ?? ""} ${join(folder, tool)}`.quiet();
  const outcome = await runScript("build-base.sh", [], { PATH: folder });
  rmSync(folder, { recursive: true });
  expect(outcome).toMatchObject({ exitCode: 1, stderr: "build-base.sh: the docker command is not installed\n" });
});

describeUnless(engineMissing, "what is built on", () => {
  const environment = { REGISTRY_OWNER: "nobody-has-this" };
  const missing: [string[], string][] = [
    [["build-flavor.sh", "js"], "localhost/nobody-has-this/agentpod-base:"],
    [["build-addon.sh", "code-server", "--base", "agentpod-js"], "localhost/nobody-has-this/agentpod-js:"],
    [["build.sh", "flavors"], "localhost/nobody-has-this/agentpod-base:"],
    [["build.sh", "addons"], "localhost/nobody-has-this/agentpod-base:"],
  ];
  test.each(missing)("is missing for %p, which names it and what to run first", async ([script = "", ...args], ref) => {
    const outcome = await runScript(script, args, environment);
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    expect(outcome.stderr).toContain(ref);
    expect(outcome.stderr).toMatch(/is not here; (run|build)/);
  });

  test("is Debian for the base, and it is said how that is made", async () => {
    const outcome = await runScript("build-base.sh", [], { ...environment, DEBIAN_IMAGE: "127.0.0.1:9/debian:none" });
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    expect(outcome.stderr).toContain("127.0.0.1:9/debian:none is neither here nor can it be pulled; ");
    expect(outcome.stderr).toContain("debian-image.sh makes it");
  });

  test("is asked from its registry, and one that is down is said", async () => {
    const outcome = await runScript("build-flavor.sh", ["js"], { ...environment, REGISTRY_URL: "127.0.0.1:9" });
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    expect(outcome.stderr).toContain("127.0.0.1:9/nobody-has-this/agentpod-base:");
    expect(outcome.stderr).toContain("is neither here nor can it be pulled; run build-base.sh first");
  });
});

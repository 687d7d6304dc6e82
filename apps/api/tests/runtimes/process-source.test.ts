import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defaultSourceHostRules, type SourceHostRules } from "../../src/runtimes/process/source-host.ts";
import type { SandboxSpec } from "../../src/runtimes/runtime.ts";
import type { DyingDeploy } from "../support/dying-deploy.ts";
import { describeUnless } from "../support/engine.ts";
import { startGitServer, type GitServer } from "../support/git-server.ts";
import { createWorld, failureOf, MOODY_GATEWAY, runSteps, until, type World } from "../support/process-world.ts";

/** Names that no resolver knows lead to the test's own server. */
const toLoopback: SourceHostRules = { resolveHost: async () => ["127.0.0.1"], isBlocked: () => false };

let world: World;
let server: GitServer;
beforeEach(async () => {
  world = await createWorld({ command: MOODY_GATEWAY, sourceHostRules: toLoopback, stopTimeoutMs: 500 });
  server = await startGitServer();
});
afterEach(async () => {
  await server.stop();
  await world.end();
});

const deploy = (spec: SandboxSpec) => runSteps(world.runtime.steps.deploy, spec);
const sourceAt = (path: string) => `http://git.example:${server.port}/${path}`;
const workspace = (spec: SandboxSpec) => join(world.folder(spec), "workspace");

function expectNothingCloned(spec: SandboxSpec): void {
  expect(readdirSync(workspace(spec))).toEqual([]);
  expect(readdirSync(world.folder(spec)).filter((name) => name.startsWith("clone-"))).toEqual([]);
}

const gitMissing = Bun.which("git") === null ? "git is not installed" : undefined;

describeUnless(gitMissing, "cloning a source", () => {
  test("fills the workspace once", async () => {
    const spec = await world.spec({ sourceUrl: sourceAt("repo.git") });
    expect(await deploy(spec)).toEqual(["created", "cloning", "starting", "healthy"]);
    expect(await readFile(join(workspace(spec), "hello.txt"), "utf8")).toBe("hello\n");
    expect(existsSync(join(workspace(spec), ".git", "HEAD"))).toBe(true);

    await rm(join(workspace(spec), "hello.txt"));
    const asked = server.requests.length;
    expect(await deploy({ ...spec, generation: 2 })).toEqual(["starting", "healthy"]);
    expect(server.requests.length).toBe(asked);
    expect(existsSync(join(workspace(spec), "hello.txt"))).toBe(false);
  });

  test("leaves a workspace alone that holds anything", async () => {
    const spec = await world.spec();
    await deploy(spec);
    await writeFile(join(workspace(spec), "mine"), "1");
    expect(await deploy({ ...spec, sourceUrl: sourceAt("repo.git") })).toEqual(["healthy"]);
    expect(readdirSync(workspace(spec))).toEqual(["mine"]);
  });

  test("that fails leaves nothing half, and works once it can", async () => {
    const spec = await world.spec({ sourceUrl: sourceAt("repo.git") });
    server.intercept = (request) => (request.method === "POST" ? new Response("broken", { status: 500 }) : undefined);
    const error = await failureOf(deploy(spec));
    expect(error.failure).toBe("source_clone_failed");
    expect(error.message).toContain("500");
    expectNothingCloned(spec);
    server.intercept = () => undefined;
    await deploy(spec);
    expect(existsSync(join(workspace(spec), "hello.txt"))).toBe(true);
  });

  test.each([
    ["is not there", 404],
    ["wants a password", 401],
  ])("of a repository that %s fails without asking anybody", async (_name, status) => {
    const headers = { "www-authenticate": 'Basic realm="git"' };
    server.intercept = () => new Response(null, { status, headers });
    const spec = await world.spec({ sourceUrl: sourceAt("private.git") });
    const error = await failureOf(deploy(spec));
    expect(error.failure).toBe("source_clone_failed");
    if (status === 401) expect(error.message).toContain("does not exist or is not public");
    expectNothingCloned(spec);
  });

  test("follows a repository that has moved", async () => {
    server.intercept = (request) => {
      const { pathname, search } = new URL(request.url);
      return pathname.startsWith("/old/") ? Response.redirect(`/${pathname.slice(5)}${search}`, 301) : undefined;
    };
    // The redirect itself is read without git, which alone is held to the address.
    const spec = await world.spec({ sourceUrl: `http://127.0.0.1:${server.port}/old/repo.git` });
    await deploy(spec);
    expect(existsSync(join(workspace(spec), "hello.txt"))).toBe(true);
  });

  test("refuses a redirect to an address that a source may not have", async () => {
    const runtime = await world.restart({
      sourceHostRules: { ...toLoopback, isBlocked: (address) => address === "127.0.0.9" },
    });
    server.intercept = (request) =>
      Response.redirect(
        `http://127.0.0.9:${server.port}/repo.git${new URL(request.url).search ? "/info/refs?service=git-upload-pack" : ""}`,
        302,
      );
    const spec = await world.spec({ sourceUrl: `http://127.0.0.1:${server.port}/repo.git` });
    const error = await failureOf(runSteps(runtime.steps.deploy, spec));
    expect(error.message).toContain("127.0.0.9 leads to this machine");
    expectNothingCloned(spec);
  });

  test("ends redirects that go in circles", async () => {
    server.intercept = (request) => Response.redirect(request.url, 302);
    const spec = await world.spec({ sourceUrl: `http://127.0.0.1:${server.port}/repo.git` });
    expect((await failureOf(deploy(spec))).failure).toBe("source_clone_failed");
    expect(server.requests.length).toBeLessThan(20);
  });

  test.each([
    "http://localhost:PORT/repo.git",
    "http://127.0.0.1:PORT/repo.git",
    "http://2130706433:PORT/repo.git",
    "http://[::1]:PORT/repo.git",
    "http://[::ffff:127.0.0.1]:PORT/repo.git",
    "ssh://git@0x7f.1:PORT/repo.git",
    "git://0.0.0.0:PORT/repo.git",
    "http://169.254.169.254/latest/meta-data",
  ])("from %s is refused before anything is asked", async (url) => {
    const runtime = await world.restart({ sourceHostRules: defaultSourceHostRules });
    const spec = await world.spec({ sourceUrl: url.replace("PORT", String(server.port)) });
    const error = await failureOf(runSteps(runtime.steps.deploy, spec));
    expect(error.failure).toBe("source_clone_failed");
    expect(error.message).toContain("leads to this machine or to a link-local address");
    expect(server.requests).toEqual([]);
    expectNothingCloned(spec);
  });

  test("is refused when one of several addresses of a name is this machine", async () => {
    const resolveHost = async () => ["192.0.2.1", "127.0.0.1"];
    const runtime = await world.restart({ sourceHostRules: { ...defaultSourceHostRules, resolveHost } });
    const error = await failureOf(
      runSteps(runtime.steps.deploy, await world.spec({ sourceUrl: "https://git.example/r" })),
    );
    expect(error.message).toContain("git.example leads to this machine");
  });

  test("from a name that nobody knows is refused, unless a proxy may know it", async () => {
    const resolveHost = () => Promise.reject(new Error("ENOTFOUND"));
    const changes = { sourceHostRules: { ...toLoopback, resolveHost } };
    const alone = await world.restart(changes);
    const spec = await world.spec({ sourceUrl: "http://git.example/repo.git" });
    const error = await failureOf(runSteps(alone.steps.deploy, spec));
    expect(error.message).toContain("git.example of sourceUrl cannot be found");

    const baseEnv = { ...world.options.baseEnv, http_proxy: `http://127.0.0.1:${server.port}` };
    const proxied = await world.restart({ ...changes, baseEnv });
    await runSteps(proxied.steps.deploy, spec);
    expect(existsSync(join(workspace(spec), "hello.txt"))).toBe(true);
  });

  test("goes by the proxy of the project's own environment, and shows no password of it", async () => {
    const resolveHost = () => Promise.reject(new Error("ENOTFOUND"));
    const baseEnv = { ...world.options.baseEnv, HTTP_PROXY: "http://127.0.0.1:1" };
    const alone = await world.restart({ sourceHostRules: { ...toLoopback, resolveHost }, baseEnv });
    const sourceUrl = "http://git.example/repo.git";
    const spec = await world.spec({ sourceUrl, env: { http_proxy: `http://127.0.0.1:${server.port}` } });
    await runSteps(alone.steps.deploy, spec);
    expect(existsSync(join(workspace(spec), "hello.txt"))).toBe(true);
    const lost = await world.spec({ sourceUrl, env: { http_proxy: "http://me:hunter2hunter2@127.0.0.1:1" } });
    const error = await failureOf(runSteps(alone.steps.deploy, lost));
    expect(error.failure).toBe("source_clone_failed");
    expect(error.message).not.toContain("hunter2");
  });

  test.each(["file:///etc", "ext::sh -c touch% /tmp/x", "--upload-pack=touch x", "/etc", "git@git.example:repo"])(
    "of %s is refused",
    async (sourceUrl) => {
      const spec = await world.spec({ sourceUrl });
      expect((await failureOf(deploy(spec))).failure).toBe("source_clone_failed");
      expectNothingCloned(spec);
    },
  );

  test("over ssh uses neither keys nor settings of the account that runs the API", async () => {
    const bin = join(world.dataDir, "bin");
    const seen = join(world.dataDir, "ssh-arguments");
    await mkdir(bin);
    await writeFile(join(bin, "ssh"), `#!/bin/sh\nprintf '%s\\n' "$@" > ${seen}\nexit 255\n`, { mode: 0o755 });
    const baseEnv = { ...world.options.baseEnv, PATH: `${bin}:${world.options.baseEnv["PATH"]}` };
    const runtime = await world.restart({ baseEnv });
    const spec = await world.spec({ sourceUrl: "ssh://git@git.example/private.git" });
    expect((await failureOf(runSteps(runtime.steps.deploy, spec))).failure).toBe("source_clone_failed");
    const args = (await readFile(seen, "utf8")).split("\n");
    expect(args.slice(0, 2)).toEqual(["-F", "/dev/null"]);
    expect(args).toEqual(
      expect.arrayContaining([
        "-oIdentityFile=none",
        "-oIdentitiesOnly=yes",
        "-oIdentityAgent=none",
        "-oBatchMode=yes",
        "-oUserKnownHostsFile=/dev/null",
      ]),
    );
  });

  test("that takes too long is ended as a whole", async () => {
    server.intercept = () => new Promise(() => undefined);
    const runtime = await world.restart({ cloneTimeoutMs: 400 });
    const spec = await world.spec({ sourceUrl: sourceAt("repo.git") });
    const error = await failureOf(runSteps(runtime.steps.deploy, spec));
    expect(error.failure).toBe("source_clone_failed");
    expect(error.message).toContain("took longer than 1 s");
    expect(await world.processes()).toEqual([]);
    expectNothingCloned(spec);
  });

  test("that is aborted is ended as a whole", async () => {
    server.intercept = () => new Promise(() => undefined);
    const spec = await world.spec({ sourceUrl: sourceAt("repo.git") });
    const controller = new AbortController();
    const deploying = runSteps(world.runtime.steps.deploy, spec, controller.signal);
    await until("git asks", () => server.requests.length > 0);
    controller.abort();
    expect((await failureOf(deploying)).failure).toBe("timeout");
    expect(await world.processes()).toEqual([]);
    expectNothingCloned(spec);
  });

  test("cut off by a kill -9 of the control plane is begun anew, and the git left over is ended", async () => {
    server.intercept = () => new Promise(() => undefined);
    const spec = await world.spec({ sourceUrl: sourceAt("repo.git") });
    const { dataDir, instanceId } = world;
    const order: DyingDeploy = { dataDir, instanceId, command: MOODY_GATEWAY, spec, point: "never by itself" };
    const driver = Bun.spawn([
      process.execPath,
      join(import.meta.dir, "../support/dying-deploy.ts"),
      JSON.stringify(order),
    ]);
    await until("git asks", () => server.requests.length > 0);
    driver.kill("SIGKILL");
    await driver.exited;
    expect((await world.processes()).length).toBeGreaterThan(0);

    server.intercept = () => undefined;
    await deploy(spec);
    expect(existsSync(join(workspace(spec), "hello.txt"))).toBe(true);
    expect(readdirSync(world.folder(spec)).filter((name) => name.startsWith("clone-"))).toEqual([]);
    await until("only the gateway is left", async () => (await world.processes()).length === 1);
  });

  test("needs git and says so", async () => {
    const runtime = await world.restart({ baseEnv: { PATH: "/nowhere" } });
    const spec = await world.spec({ sourceUrl: sourceAt("repo.git") });
    expect((await failureOf(runSteps(runtime.steps.deploy, spec))).message).toContain("git is not installed");
    expect(await runtime.probe()).toEqual({ ok: true, version: "without git" });
    await runSteps(runtime.steps.deploy, { ...spec, sourceUrl: null });
  });
});

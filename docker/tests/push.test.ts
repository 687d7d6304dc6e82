import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeUnless, engineMissing } from "../../apps/api/tests/support/engine.ts";
import { registryMissing, startRegistry, type TestRegistry } from "../../apps/api/tests/support/registry.ts";
import { run } from "./support/scripts.ts";
import { makeSmallTree, type SmallTree } from "./support/small-tree.ts";

const login = { username: "builder", password: "a pass-word $with 'signs'" };
const manifestTypes =
  "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

describeUnless(engineMissing ?? registryMissing, "images are pushed", () => {
  setDefaultTimeout(120_000);
  let tree: SmallTree;
  let open: TestRegistry;
  let closed: TestRegistry;
  let folder: string;

  beforeAll(async () => {
    tree = makeSmallTree();
    folder = mkdtempSync(join(tmpdir(), "agentpod-push-"));
    open = await startRegistry();
    closed = await startRegistry(login);
    expect((await tree.run("build.sh", ["all"])).exitCode).toBe(0);
    await nameFor(open.host);
    await nameFor(closed.host);
  });
  afterAll(async () => {
    await tree.remove();
    await open.close();
    await closed.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The tree's images under the name that a registry makes them have. */
  async function nameFor(host: string): Promise<void> {
    for (const ref of await tree.images()) {
      if (ref.startsWith("localhost/")) await run(["docker", "tag", ref, ref.replace("localhost", host)]);
    }
  }
  const at = (host: string, more: Record<string, string> = {}) => ({
    REGISTRY_URL: host,
    DOCKER_CONFIG: folder,
    ...more,
  });
  async function digestAt(host: string, name: string): Promise<string | null> {
    const owner = tree.environment["REGISTRY_OWNER"] ?? "";
    const headers = {
      accept: manifestTypes,
      authorization: `Basic ${btoa(`${login.username}:${login.password}`)}`,
    };
    const answer = await fetch(`http://${host}/v2/${owner}/${name}/manifests/7`, { method: "HEAD", headers });
    return answer.headers.get("docker-content-digest");
  }

  test("one at a time, and the digest that is told is the one the registry has", async () => {
    const steps: [string[], string][] = [
      [["base"], "agentpod-base"],
      [["flavor", "one"], "agentpod-one"],
      [["addon", "one", "more"], "agentpod-one-more"],
    ];
    for (const [args, name] of steps) {
      const ref = tree.ref(name).replace("localhost", open.host);
      const outcome = await tree.run("push.sh", args, at(open.host));
      const digest = await digestAt(open.host, name);
      expect(digest).toStartWith("sha256:");
      expect([outcome.exitCode, outcome.stdout]).toEqual([0, `${ref}@${digest}\n`]);
    }
  });

  test("all at once", async () => {
    const outcome = await tree.run("push.sh", ["--all"], at(open.host));
    const names = outcome.stdout
      .trim()
      .split("\n")
      .map((line) => /(agentpod-[a-z-]+):7@sha256:[0-9a-f]{64}$/.exec(line)?.[1]);
    expect(names).toEqual([
      "agentpod-base",
      "agentpod-one",
      "agentpod-one-extra",
      "agentpod-one-more",
      "agentpod-two",
      "agentpod-two-extra",
      "agentpod-two-more",
    ]);
  });

  test("none when one of them is missing", async () => {
    await run(["docker", "image", "rm", tree.ref("agentpod-two-more").replace("localhost", closed.host)]);
    const outcome = await tree.run("push.sh", ["--all"], at(closed.host));
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    expect(outcome.stderr).toContain("agentpod-two-more:7 is not here; build it first");
    expect(await digestAt(closed.host, "agentpod-base")).toBeNull();
  });

  test("not without a login, which is what is said", async () => {
    const outcome = await tree.run("push.sh", ["base"], at(closed.host));
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    expect(outcome.stderr).toContain(`${closed.host} wants a login that may push to`);
    expect(await digestAt(closed.host, "agentpod-base")).toBeNull();
  });

  test("not to a registry that is down, which is what is said", async () => {
    const gone = await startRegistry();
    await gone.close();
    await nameFor(gone.host);
    const outcome = await tree.run("push.sh", ["base"], at(gone.host));
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    expect(outcome.stderr).toContain(`${gone.host} does not answer; check REGISTRY_URL and the network`);
    const silent = await tree.run("login.sh", [], at(gone.host, { REGISTRY_USER: "me", REGISTRY_PASSWORD: "x" }));
    expect([silent.exitCode, silent.stderr]).toEqual([
      1,
      `login.sh: ${gone.host} does not answer; check REGISTRY_URL and the network\n`,
    ]);
  });

  test("and one that has something else afterwards is not believed", async () => {
    const owner = tree.environment["REGISTRY_OWNER"] ?? "";
    const liar = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        const { pathname, search } = new URL(request.url);
        const asks = request.method === "GET" || request.method === "HEAD";
        const path = asks ? pathname.replace("agentpod-base/manifests/", "agentpod-one/manifests/") : pathname;
        const body = asks ? undefined : await request.arrayBuffer();
        const headers = new Headers(request.headers);
        headers.set("host", `127.0.0.1:${liar.port}`);
        return fetch(`http://${open.host}${path}${search}`, { method: request.method, headers, ...(body && { body }) });
      },
    });
    const host = `127.0.0.1:${liar.port}`;
    await nameFor(host);
    const outcome = await tree.run("push.sh", ["base"], at(host));
    await liar.stop(true);
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    const one = await digestAt(open.host, "agentpod-one");
    expect(outcome.stderr).toContain(`${host}/${owner}/agentpod-base:7 was sent as sha256:`);
    expect(outcome.stderr).toContain(`and the registry has ${one}`);
  });

  const wrong = { REGISTRY_USER: login.username, REGISTRY_PASSWORD: "wrong" };
  test("a wrong password is refused and told to nobody", async () => {
    const outcome = await tree.run("login.sh", [], at(closed.host, wrong));
    expect([outcome.exitCode, outcome.stdout]).toEqual([1, ""]);
    expect(outcome.stderr).toBe(`login.sh: ${closed.host} knows no such user and password\n`);
  });

  test("after a login, whose password is on no command line", async () => {
    // Docker's own command, watched.
    const callsFile = join(folder, "arguments");
    writeFileSync(
      join(folder, "docker"),
      `#!/bin/sh\nprintf '%s\\n' "$*" >> ${callsFile}\nexec ${Bun.which("docker")} "$@"\n`,
    );
    chmodSync(join(folder, "docker"), 0o755);
    const file = join(folder, "password");
    writeFileSync(file, `${login.password}\n`);
    const watched = at(closed.host, { PATH: `${folder}:${process.env["PATH"]}`, REGISTRY_USER: login.username });
    const said = `logged in to ${closed.host} as ${login.username}\n`;
    for (const more of [{ REGISTRY_PASSWORD: login.password }, { REGISTRY_PASSWORD_FILE: file }]) {
      rmSync(join(folder, "config.json"), { force: true });
      expect(await tree.run("login.sh", [], { ...watched, ...more })).toEqual({
        exitCode: 0,
        stdout: "",
        stderr: said,
      });
    }
    rmSync(join(folder, "config.json"), { force: true });
    const command = [join(tree.root, "scripts/login.sh")];
    expect(await run(command, login.password, { ...tree.environment, ...watched })).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: said,
    });
    expect(readFileSync(callsFile, "utf8")).toContain(
      `login --username ${login.username} --password-stdin ${closed.host}`,
    );
    expect(readFileSync(callsFile, "utf8")).not.toContain(login.password);

    const outcome = await tree.run("push.sh", ["base"], at(closed.host));
    expect([outcome.exitCode, outcome.stderr]).toEqual([0, expect.not.stringContaining(login.password)]);
    expect(outcome.stdout).toEndWith(`@${await digestAt(closed.host, "agentpod-base")}\n`);
  });

  const passwords: [Record<string, string>, string][] = [
    [{}, "the password is empty"],
    [{ REGISTRY_PASSWORD_FILE: "/no/such/file" }, "REGISTRY_PASSWORD_FILE names a file that cannot be read"],
  ];
  test.each(passwords)("a login with %p says: %s", async (more, told) => {
    const outcome = await tree.run("login.sh", [], at(closed.host, { REGISTRY_USER: "me", ...more }));
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
    expect(outcome.stderr).toContain(told);
  });
});

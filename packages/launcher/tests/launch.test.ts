import { afterEach, describe, expect, test } from "bun:test";
import { access, mkdir, readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeCheckout, packages, serveRegistry, version, workingBun } from "./support/checkout.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setUp(programs = [workingBun], pinned?: Record<string, string>) {
  const registry = await serveRegistry(programs);
  cleanups.push(registry.stop);
  const checkout = await makeCheckout(pinned ?? registry.integrity);
  cleanups.push(checkout.remove);
  return { registry, checkout, online: { npm_config_registry: registry.url } };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(10);
}

const why = Bun.which("npm") ? undefined : "no npm on this machine";

describe.skipIf(why !== undefined)(`a start from Node and npm alone${why ? ` [skipped: ${why}]` : ""}`, () => {
  test("brings Bun and the dependencies once, then runs the command with its arguments and exit code", async () => {
    const { registry, checkout, online } = await setUp();
    const first = await checkout.run(["start", "3", "more"], online);
    expect(first).toMatchObject({ code: 3, stdout: "ran apps/api/src/index.ts 3 more\n" });
    expect(registry.downloads).toEqual([packages[0] ?? ""]);
    expect(await checkout.installs()).toHaveLength(1);

    await registry.stop();
    const second = await checkout.run(["start"], online);
    expect(second).toEqual({ code: 0, stdout: "ran apps/api/src/index.ts\n", stderr: "" });
    expect(await checkout.installs()).toHaveLength(1);
  });

  test("installs again when the lockfile changed, with what npm knows of the network", async () => {
    const { checkout, online } = await setUp();
    await checkout.run(["start"], online);
    await writeFile(join(checkout.root, "bun.lock"), "second");
    const cafile = join(checkout.home, "ca.pem");
    await writeFile(cafile, "a certificate");
    await checkout.run(["start"], { ...online, npm_config_cafile: cafile });
    const [, again] = await checkout.installs();
    expect(again).toContain("--frozen-lockfile");
    expect(again).toContain(`--registry ${online.npm_config_registry}`);
    expect(again).toContain(`--cafile ${cafile}`);
  });

  test("two starts at once share one download and one install", async () => {
    const { registry, checkout, online } = await setUp();
    const release = Promise.withResolvers<void>();
    registry.holdUntil(release.promise);
    const both = [checkout.run(["start"], online), checkout.run(["start"], online)];
    await until(() => registry.downloads.length > 0);
    release.resolve();
    const outcomes = await Promise.all(both);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    expect(registry.downloads).toHaveLength(1);
    expect(await checkout.installs()).toHaveLength(1);
  });

  test("a start that was killed while downloading does not stand in the way", async () => {
    const { registry, checkout, online } = await setUp();
    registry.holdUntil(new Promise(() => {}));
    const killed = checkout.spawn(["start"], online);
    await until(() => registry.downloads.length > 0);
    killed.kill("SIGKILL");
    await killed.exited;
    registry.holdUntil(Promise.resolve());
    expect(await checkout.run(["start"], online)).toMatchObject({ code: 0 });
    expect(await readdir(join(checkout.root, ".cache/bun"))).toHaveLength(1);
  });

  test("a lock whose owner is gone is taken over", async () => {
    const { checkout, online } = await setUp();
    const gone = Bun.spawn(["true"]);
    await gone.exited;
    const lock = join(checkout.root, ".cache/bun/lock");
    await mkdir(lock, { recursive: true });
    await writeFile(join(lock, "owner"), `${hostname()}\n${gone.pid}\n`);
    expect(await checkout.run(["start"], online)).toMatchObject({ code: 0 });
  });

  test("refuses a package that is not the pinned one, and keeps nothing of it", async () => {
    const wrong = Object.fromEntries(packages.map((name) => [name, "sha512-AAAA"]));
    const { checkout, online } = await setUp([workingBun], wrong);
    const { code, stderr } = await checkout.run(["start"], online);
    expect(code).toBe(1);
    expect(stderr).toContain("is not the package pinned");
    expect(await readdir(join(checkout.root, ".cache/bun"))).toEqual([]);
  });

  test.skipIf(packages.length < 2)(
    `takes the next build when the best one does not run here${packages.length < 2 ? " [skipped: one build for this processor]" : ""}`,
    async () => {
      const { registry, checkout, online } = await setUp(["#!/bin/sh\nkill -ILL $$\n", workingBun]);
      expect(await checkout.run(["start"], online)).toMatchObject({ code: 0 });
      expect(registry.downloads).toEqual(packages);
    },
  );

  test("says what to do when the registry cannot be reached", async () => {
    const { registry, checkout, online } = await setUp();
    await registry.stop();
    const { code, stdout, stderr } = await checkout.run(["start"], { ...online, npm_config_fetch_retries: "0" });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("npm could not get");
    expect(stderr).toContain("npm ping");
    expect(stderr).not.toContain("    at ");
  });

  test("hands a signal on and keeps the exit code", async () => {
    const { checkout, online } = await setUp();
    const child = checkout.spawn(["start", "wait"], online);
    let out = "";
    const reading = (async () => {
      for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) out += chunk;
    })();
    await until(() => out.includes("ran"));
    child.kill("SIGTERM");
    await Promise.all([child.exited, reading]);
    expect(child.exitCode).toBe(7);
    expect(out).toContain("stopped");
  });
});

test("uses a Bun of the pinned version that is on PATH, and downloads none", async () => {
  const { registry, checkout } = await setUp();
  const bin = join(checkout.home, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "bun"), workingBun, { mode: 0o755 });
  const { code } = await checkout.run(["start"], {
    PATH: `${bin}:${process.env["PATH"]}`,
    npm_config_user_agent: "bun/0",
  });
  expect(code).toBe(0);
  expect(registry.downloads).toEqual([]);
  await expect(access(join(checkout.root, ".cache/bun"))).rejects.toThrow();
});

test("says what is missing when there is neither Bun nor npm", async () => {
  const { checkout } = await setUp();
  const { code, stderr } = await checkout.run(["start"], { PATH: checkout.home });
  expect(code).toBe(1);
  expect(stderr).toContain(`Bun ${version} is needed, and there is no npm to get it with`);
});

test("names the known commands when it is given another", async () => {
  const { checkout } = await setUp();
  const { code, stderr } = await checkout.run(["stat"]);
  expect(code).toBe(1);
  expect(stderr).toContain("Known: start, test, agentpod");
});

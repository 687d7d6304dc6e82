import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createRegistryClient } from "@agentpod/oci";
import { createRegistry } from "../../src/runtimes/registry/index.ts";
import { createRegistryProbe } from "../../src/runtimes/registry/probe.ts";

const signal = new AbortController().signal;

describe("the registry of the configuration", () => {
  const folder = mkdtempSync(join(tmpdir(), "agentpod-docker-config-"));
  const dockerConfigPath = join(folder, "config.json");
  const auth = Buffer.from("alice:hidden-word").toString("base64");
  const logged: unknown[] = [];
  const logger = {
    debug: (data: object, message: string) => void logged.push({ ...data, message }),
    warn: (data: object, message: string) => void logged.push({ ...data, message }),
  };
  let status = 200;
  let asked: (string | null)[] = [];
  let server: Bun.Server<undefined>;
  let registryUrl: string;

  beforeEach(() => {
    status = 200;
    asked = [];
    logged.length = 0;
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request) {
        const authorization = request.headers.get("authorization");
        asked.push(authorization);
        if (status !== 200) return new Response(null, { status });
        if (authorization !== `Basic ${auth}`)
          return new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="r"' } });
        return new Response(null, { headers: { "docker-content-digest": `sha256:${"a".repeat(64)}` } });
      },
    });
    registryUrl = `127.0.0.1:${server.port}`;
  });
  afterEach(async () => {
    await server.stop(true);
    rmSync(dockerConfigPath, { force: true, recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const make = () => {
    const registry = createRegistry({ registryUrl, dockerConfigPath, logger });
    if (registry === null) throw new Error("there should be a registry");
    return registry;
  };
  const login = (text: string) => writeFileSync(dockerConfigPath, text);

  test("is none where images are those of this host", () => {
    expect(createRegistry({ registryUrl: "localhost", dockerConfigPath, logger })).toBeNull();
    expect(createRegistry({ registryUrl: "localhost:5000", dockerConfigPath, logger })).not.toBeNull();
  });

  test("is asked with what docker login stored, as soon as it did", async () => {
    const { digestOf } = make();
    expect(await digestOf(`${registryUrl}/acme/js:1`, signal)).toBeNull();
    login(JSON.stringify({ auths: { [registryUrl]: { auth } } }));
    expect(await digestOf(`${registryUrl}/acme/js:1`, signal)).toBe(`sha256:${"a".repeat(64)}`);
    expect(logged).toMatchObject([{ failure: "unauthorized" }]);
    expect(JSON.stringify(logged)).not.toContain("hidden-word");
  });

  test("is asked anonymously when Docker's file is broken, which is told once and without what it holds", async () => {
    login('{"auths": {"x": {"auth": "hidden-word"');
    const { digestOf } = make();
    await digestOf(`${registryUrl}/acme/js:1`, signal);
    await digestOf(`${registryUrl}/acme/js:1`, signal);
    const complaints = logged.filter((line) => JSON.stringify(line).includes("anonymously"));
    expect(complaints).toEqual([expect.objectContaining({ path: dockerConfigPath })]);
    expect(JSON.stringify(logged)).not.toContain("hidden-word");
  });

  test("gives no digest, and no failure, whatever is wrong", async () => {
    const { digestOf } = make();
    status = 500;
    expect(await digestOf(`${registryUrl}/acme/js:1`, signal)).toBeNull();
    expect(await digestOf("No Image", signal)).toBeNull();
    expect(await digestOf(`${registryUrl}/acme/js:1`, AbortSignal.abort())).toBeNull();
    const before = asked.length;
    expect(await digestOf("localhost/agentpod/js:1", signal)).toBeNull();
    expect(asked).toHaveLength(before);
    expect(logged).toMatchObject([
      { failure: "server_error" },
      { failure: "invalid_reference" },
      { failure: "timeout" },
    ]);
  });

  test("answers also when it wants a login, and is asked once in a while", async () => {
    let time = 0;
    const client = createRegistryClient();
    const answers = createRegistryProbe({ client, registryUrl: `${registryUrl}/mirror`, now: () => time });
    expect(await Promise.all([answers(), answers()])).toEqual([true, true]);
    status = 503;
    time = 14_999;
    expect(await answers()).toBe(true);
    expect(asked).toHaveLength(1);
    time = 15_000;
    expect(await answers()).toBe(false);
    expect(asked).toHaveLength(2);
  });

  test("does not answer when it is silent for too long", async () => {
    const silent = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Promise<Response>(() => undefined) });
    const client = createRegistryClient();
    const answers = createRegistryProbe({ client, registryUrl: `127.0.0.1:${silent.port}`, timeoutMs: 30 });
    expect(await answers()).toBe(false);
    await silent.stop(true);
  });
});

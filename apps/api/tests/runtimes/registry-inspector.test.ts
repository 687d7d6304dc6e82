import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createRegistryClient } from "@agentpod/oci";
import { createRegistryInspector } from "../../src/runtimes/registry/inspector.ts";
import { createImageAvailabilities } from "../../src/services/image-availability.ts";
import { until } from "../support/wait.ts";

const manifest = JSON.stringify({ schemaVersion: 2, config: { size: 5 }, layers: [{ size: 100 }] });
const digest = `sha256:${new Bun.CryptoHasher("sha256").update(manifest).digest("hex")}`;
const image = (imageRef: string) => ({ imageRef, flavorId: "js", addonIds: [] });
const logger = { debug: () => undefined };

describe("asking a registry about images", () => {
  const seen: string[] = [];
  let answer: (request: Request) => Response | Promise<Response>;
  let asking = 0;
  let askingMost = 0;
  let server: Bun.Server<undefined>;

  beforeEach(() => {
    seen.length = 0;
    asking = 0;
    askingMost = 0;
    answer = () => new Response(manifest, { headers: { "docker-content-digest": digest } });
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        seen.push(`${request.method} ${new URL(request.url).pathname.replace("/v2/", "")}`);
        asking += 1;
        askingMost = Math.max(askingMost, asking);
        try {
          return await answer(request);
        } finally {
          asking -= 1;
        }
      },
    });
  });
  afterEach(() => server.stop(true));

  const make = (options: Partial<Parameters<typeof createRegistryInspector>[0]> = {}) =>
    createRegistryInspector({ client: createRegistryClient({ timeoutMs: 5_000 }), logger, ...options });
  const inspect = async (inspector: ReturnType<typeof make>, ...imageRefs: string[]) => {
    const found = await inspector.inspect(imageRefs.map(image), new AbortController().signal);
    return imageRefs.map((imageRef) => found.get(imageRef));
  };
  const ref = (name: string) => `127.0.0.1:${server.port}/acme/${name}`;
  const available = { state: "available" as const, digest, compressedBytes: 105 };
  const unknown = { state: "unknown" as const, digest: null, compressedBytes: null };

  test("tells digest and size, and remembers both", async () => {
    let time = 0;
    const inspector = make({ now: () => time });
    expect(await inspect(inspector, ref("js:1"))).toEqual([available]);
    expect(seen).toEqual(["HEAD acme/js/manifests/1", `GET acme/js/manifests/${digest}`]);
    time = 59_999;
    expect(await inspect(inspector, ref("js:1"))).toEqual([available]);
    expect(seen).toHaveLength(2);
    time = 60_000;
    expect(await inspect(inspector, ref("js:1"))).toEqual([available]);
    // What a digest stands for does not change.
    expect(seen.slice(2)).toEqual(["HEAD acme/js/manifests/1"]);
  });

  test("shares a question among those who have it at the same time", async () => {
    const inspector = make();
    const answers = await Promise.all(Array.from({ length: 20 }, () => inspect(inspector, ref("js:1"))));
    expect(answers.flat()).toEqual(answers.map(() => available));
    expect(seen).toHaveLength(2);
  });

  test("says absent for what the registry does not have", async () => {
    answer = () => Response.json({}, { status: 404 });
    expect(await inspect(make(), ref("js:1"))).toEqual([{ ...unknown, state: "absent" }]);
  });

  test("leaves out what is on this host alone", async () => {
    expect(await inspect(make(), "localhost/agentpod/js:1")).toEqual([undefined]);
    expect(seen).toEqual([]);
  });

  test("asks about many a few at a time, and by questions that count as no pulls", async () => {
    answer = async () => {
      await Bun.sleep(5);
      return new Response(null, { headers: { "docker-content-digest": digest } });
    };
    const names = Array.from({ length: 192 }, (_, index) => ref(`js-${index}:1`));
    const found = await inspect(make(), ...names);
    expect(found).toEqual(names.map(() => ({ ...available, compressedBytes: null })));
    expect(askingMost).toBe(8);
    expect(seen.filter((line) => !line.startsWith("HEAD "))).toEqual([]);
    expect(seen).toHaveLength(192);
  });

  test("says unknown for what did not come in time, stops asking, and goes on where it stopped the next time", async () => {
    const gates: (() => void)[] = [];
    answer = async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gates.push(resolve);
      await promise;
      return new Response(null, { headers: { "docker-content-digest": digest } });
    };
    const inspector = make({ waitMs: 50 });
    const names = Array.from({ length: 30 }, (_, index) => ref(`js-${index}:1`));
    expect(await inspect(inspector, ...names)).toEqual(names.map(() => unknown));
    expect(gates).toHaveLength(8);
    answer = () => new Response(null, { headers: { "docker-content-digest": digest } });
    for (const open of gates) open();
    await until("the questions that were under way are answered", () => (asking === 0 ? true : undefined));
    expect(seen).toHaveLength(8);
    await until("all is known", async () => {
      const found = await inspect(inspector, ...names);
      return found.every((one) => one?.state === "available") || undefined;
    });
    expect(seen).toHaveLength(30);
  });

  test("does not keep anybody waiting who has gone", async () => {
    answer = () => new Promise<Response>(() => undefined);
    const found = await make({ waitMs: 60_000 }).inspect([image(ref("js:1"))], AbortSignal.timeout(20));
    expect(found.get(ref("js:1"))).toEqual(unknown);
  });

  test("leaves a registry alone as long as it asks for", async () => {
    let time = 0;
    const inspector = make({ now: () => time });
    answer = () => new Response(null, { status: 429, headers: { "retry-after": "30" } });
    expect(await inspect(inspector, ref("js:1"))).toEqual([unknown]);
    answer = () => new Response(manifest, { headers: { "docker-content-digest": digest } });
    time = 29_999;
    expect(await inspect(inspector, ref("js:1"), ref("go:1"))).toEqual([unknown, unknown]);
    expect(seen).toHaveLength(1);
    time = 30_001;
    expect(await inspect(inspector, ref("js:1"))).toEqual([available]);
  });

  test("does not call an image absent that it may not see, and asks about others", async () => {
    answer = (request) =>
      request.url.includes("/private/") ? new Response(null, { status: 403 }) : Response.json({}, { status: 404 });
    expect(await inspect(make(), ref("private/js:1"), ref("js:1"))).toEqual([unknown, { ...unknown, state: "absent" }]);
  });

  test("is in time for the service that asks it about a silent registry", async () => {
    answer = () => new Promise<Response>(() => undefined);
    const startedAt = performance.now();
    const availabilityOf = createImageAvailabilities({ inspector: make() });
    expect(await availabilityOf([image(ref("js:1"))])).toEqual([unknown]);
    expect(performance.now() - startedAt).toBeLessThan(1_900);
  });
});

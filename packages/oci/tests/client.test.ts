import { describe, expect, test } from "bun:test";
import { createRegistryClient } from "../src/index.ts";
import { failure } from "./support/failure.ts";
import {
  document,
  imageIndex,
  imageManifest,
  imageType,
  indexType,
  manifestAnswer,
  serveRegistry,
} from "./support/stand-in-registry.ts";

const client = createRegistryClient();

describe("what a registry knows of an image", () => {
  const amd64 = imageManifest(10, 100, 1000);
  const arm64 = imageManifest(20, 200);
  const index = imageIndex({
    "linux/amd64": amd64.digest,
    "linux/arm64/v8": arm64.digest,
    "unknown/unknown": arm64.digest,
  });
  const documents = { single: amd64, many: index, amd64, arm64 };
  const serve = () => serveRegistry((_, url) => manifestAnswer(url, documents));

  test("is its digest and what a pull fetches", async () => {
    using registry = serve();
    expect(await client.resolve(`${registry.host}/acme/js:single`)).toEqual({
      digest: amd64.digest,
      mediaType: imageType,
      compressedBytes: 1110,
      platforms: [],
    });
    expect(registry.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET /v2/acme/js/manifests/single"]);
  });

  test("is that of the platform where there are several, under the digest of all", async () => {
    using registry = serve();
    const found = { digest: index.digest, mediaType: indexType, platforms: ["linux/amd64", "linux/arm64/v8"] };
    const imageRef = `${registry.host}/acme/js:many`;
    expect(await client.resolve(imageRef)).toEqual({ ...found, compressedBytes: 1110 });
    expect(await client.resolve(imageRef, { platform: "linux/arm64" })).toEqual({ ...found, compressedBytes: 220 });
    expect(await client.resolve(imageRef, { platform: "linux/s390x" })).toEqual({ ...found, compressedBytes: null });
  });

  test("is found by digest", async () => {
    using registry = serve();
    expect((await client.resolve(`${registry.host}/acme/js@${arm64.digest}`))?.compressedBytes).toBe(220);
    expect(await client.digestOf(`${registry.host}/acme/js@${arm64.digest}`)).toBe(arm64.digest);
  });

  test("is nothing where it has none of that name", async () => {
    using registry = serve();
    expect(await client.resolve(`${registry.host}/acme/js:none`)).toBeNull();
    expect(await client.digestOf(`${registry.host}/acme/js:none`)).toBeNull();
  });

  test("is the digest by a question that counts as no pull", async () => {
    using registry = serve();
    expect(await client.digestOf(`${registry.host}/acme/js:many`)).toBe(index.digest);
    expect(registry.seen.map(({ method }) => method)).toEqual(["HEAD"]);
  });

  test("is the digest although the registry does not put it into the headers", async () => {
    using registry = serveRegistry(() => new Response(amd64.text, { headers: { "content-type": imageType } }));
    expect(await client.digestOf(`${registry.host}/acme/js:1`)).toBe(amd64.digest);
  });

  test("has no size that cannot be counted", async () => {
    const huge = imageManifest(Number.MAX_SAFE_INTEGER, 1);
    using registry = serveRegistry((_, url) => manifestAnswer(url, { huge }));
    expect((await client.resolve(`${registry.host}/acme/js:huge`))?.compressedBytes).toBeNull();
  });

  test.each([
    ["another manifest than was asked for", amd64.text, `@${arm64.digest}`, {}],
    ["one that has not the digest it says", amd64.text, ":1", { "docker-content-digest": arm64.digest }],
    ["no JSON", "<html>", ":1", {}],
    ["no manifest", '{"hello":1}', ":1", {}],
    ["one of the first version", '{"schemaVersion":1,"fsLayers":[]}', ":1", {}],
    ["one with a negative size", document(imageType, { config: { size: -1 }, layers: [] }).text, ":1", {}],
    ["more than 4 MiB", " ".repeat(4 * 2 ** 20 + 1), ":1", {}],
  ])("is not believed from %s", async (_, text, suffix, headers) => {
    using registry = serveRegistry(() => new Response(text, { headers }));
    expect(await failure(client.resolve(`${registry.host}/acme/js${suffix}`))).toMatchObject({
      failure: "unexpected_answer",
    });
  });

  test("is not told by a web site's page for what it does not have", async () => {
    using site = serveRegistry(
      () => new Response("<h1>404</h1>", { status: 404, headers: { "content-type": "text/html" } }),
    );
    expect(await failure(client.digestOf(`${site.host}/acme/js:1`))).toMatchObject({ failure: "unexpected_answer" });
  });
});

describe("a registry that does not tell", () => {
  test.each([
    [403, {}, "denied", null],
    [429, { "retry-after": "17" }, "rate_limited", 17_000],
    [429, { "retry-after": "soon" }, "rate_limited", null],
    [500, {}, "server_error", null],
    [503, { "retry-after": "2" }, "server_error", 2000],
    [418, {}, "unexpected_answer", null],
    [401, {}, "unauthorized", null],
  ] as const)("with status %p and %p is %p", async (status, headers, expected, retryAfterMs) => {
    using registry = serveRegistry(() => new Response("a secret of the registry", { status, headers }));
    const imageRef = `${registry.host}/acme/js:1`;
    for (const ask of [() => client.resolve(imageRef), () => client.digestOf(imageRef)]) {
      const error = await failure(ask());
      expect(error).toMatchObject({ failure: expected, status, retryAfterMs });
      expect(error.message).toContain(registry.host);
      expect(error.message).not.toContain("secret");
    }
  });

  test("says when to come back as a date", async () => {
    const at = new Date(Date.now() + 60_000).toUTCString();
    using registry = serveRegistry(() => new Response(null, { status: 429, headers: { "retry-after": at } }));
    const { retryAfterMs } = await failure(client.digestOf(`${registry.host}/acme/js:1`));
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  test("is out of reach where nothing listens", async () => {
    const registry = serveRegistry(() => undefined);
    registry[Symbol.dispose]();
    expect(await failure(client.digestOf(`${registry.host}/acme/js:1`))).toMatchObject({ failure: "unreachable" });
    expect(await client.ping(registry.host)).toMatchObject({ ok: false, failure: "unreachable" });
  });

  test("is too late when it hangs before its answer or within it", async () => {
    using silent = serveRegistry(() => new Promise<Response>(() => undefined));
    const endless = new ReadableStream({ pull: () => new Promise<void>(() => undefined) });
    using stuck = serveRegistry(() => new Response(endless));
    const impatient = createRegistryClient({ timeoutMs: 50 });
    for (const { host } of [silent, stuck]) {
      expect(await failure(impatient.resolve(`${host}/acme/js:1`))).toMatchObject({ failure: "timeout" });
    }
    const giveUp = AbortSignal.timeout(50);
    expect(await failure(client.digestOf(`${silent.host}/acme/js:1`, { signal: giveUp }))).toMatchObject({
      failure: "timeout",
    });
    // One that was given up before is not sent at all.
    const sent = silent.seen.length;
    await failure(client.digestOf(`${silent.host}/acme/js:1`, { signal: giveUp }));
    expect(silent.seen).toHaveLength(sent);
  });
});

describe("whether a registry answers", () => {
  test("is yes also when it wants to know who asks", async () => {
    using open = serveRegistry(() => Response.json({}));
    using closed = serveRegistry(() => new Response(null, { status: 401, headers: { "www-authenticate": "Basic" } }));
    expect(await client.ping(open.host)).toEqual({ ok: true, authentication: false });
    expect(await client.ping(closed.host)).toEqual({ ok: true, authentication: true });
    expect(open.seen.map(({ path }) => path)).toEqual(["/v2/"]);
  });

  test("is no for what is no registry, and for one that fails", async () => {
    using site = serveRegistry(() => new Response("<h1>hi</h1>", { headers: { "content-type": "text/html" } }));
    using failing = serveRegistry(() => new Response(null, { status: 502 }));
    expect(await client.ping(site.host)).toMatchObject({ ok: false, failure: "unexpected_answer" });
    expect(await client.ping(failing.host)).toMatchObject({ ok: false, failure: "server_error" });
    expect(await client.ping("no host")).toMatchObject({ ok: false, failure: "invalid_reference" });
  });
});

import { describe, expect, test } from "bun:test";
import { createRegistryClient } from "../src/index.ts";
import { readChallenge } from "../src/challenge.ts";
import { failure } from "./support/failure.ts";
import { type Handler, imageManifest, manifestAnswer, serveRegistry } from "./support/stand-in-registry.ts";

const manifest = imageManifest(1, 2);
const password = "p:ässword-secret";
const credentials = () => ({ username: "alice", password });
const basic = `Basic ${Buffer.from(`alice:${password}`).toString("base64")}`;

interface TokenService {
  /** Where the challenge sends clients; beside the registry unless said otherwise. */
  realm?: string;
  scope?: string;
  expiresIn?: number;
  /** What the service answers instead of a token. */
  instead?: () => Response;
}

/** A registry that wants a token, which its service gives to all, each one new. */
function serveWithTokens({ realm, scope, expiresIn, instead }: TokenService = {}) {
  const given = new Set<string>();
  const handler: Handler = (request, url) => {
    if (url.pathname === "/token") {
      if (instead) return instead();
      const token = `token-${given.size}`;
      given.add(`Bearer ${token}`);
      return Response.json({ token, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) });
    }
    if (given.has(request.headers.get("authorization") ?? "")) return manifestAnswer(url, { "1": manifest });
    const asked = scope === undefined ? "" : `,scope="${scope}"`;
    const challenge = `Bearer realm="${realm ?? `${url.origin}/token`}",service="the registry"${asked}`;
    return new Response(null, { status: 401, headers: { "www-authenticate": challenge } });
  };
  const registry = serveRegistry(handler);
  const tokenRequests = () => registry.seen.filter(({ path }) => path === "/token");
  return { registry, given, tokenRequests, [Symbol.dispose]: () => registry[Symbol.dispose]() };
}

describe("a registry that wants a token", () => {
  test("gets the one its service gives to everybody", async () => {
    using world = serveWithTokens();
    const { registry } = world;
    expect(await createRegistryClient().digestOf(`${registry.host}/acme/js:1`)).toBe(manifest.digest);
    const [token] = world.tokenRequests();
    expect(token?.authorization).toBeNull();
    expect(token?.query.get("service")).toBe("the registry");
    expect(token?.query.getAll("scope")).toEqual(["repository:acme/js:pull"]);
  });

  test("sees the password at its token service alone", async () => {
    using world = serveWithTokens();
    const { registry } = world;
    await createRegistryClient({ credentials }).digestOf(`${registry.host}/acme/js:1`);
    expect(registry.seen.map(({ path, authorization }) => [path, authorization])).toEqual([
      ["/v2/acme/js/manifests/1", null],
      ["/token", basic],
      ["/v2/acme/js/manifests/1", "Bearer token-0"],
    ]);
  });

  test("is asked once for questions about one repository, and without a refusal for the next", async () => {
    using world = serveWithTokens();
    const { registry } = world;
    const client = createRegistryClient();
    await client.digestOf(`${registry.host}/acme/js:1`);
    await client.resolve(`${registry.host}/acme/js:1`);
    await client.digestOf(`${registry.host}/acme/go:1`);
    expect(registry.seen.map(({ path }) => path)).toEqual([
      "/v2/acme/js/manifests/1",
      "/token",
      "/v2/acme/js/manifests/1",
      "/v2/acme/js/manifests/1",
      "/token",
      "/v2/acme/go/manifests/1",
    ]);
  });

  test("is given another token when the first has ended", async () => {
    using world = serveWithTokens({ expiresIn: 300 });
    const { registry, given } = world;
    const client = createRegistryClient();
    await client.digestOf(`${registry.host}/acme/js:1`);
    given.delete("Bearer token-0");
    expect(await client.digestOf(`${registry.host}/acme/js:1`)).toBe(manifest.digest);
    // One that lasts for no time is not kept.
    using short = serveWithTokens({ expiresIn: 1 });
    await client.digestOf(`${short.registry.host}/acme/js:1`);
    await client.digestOf(`${short.registry.host}/acme/js:1`);
    expect(short.tokenRequests()).toHaveLength(2);
  });

  test("gets the scopes it names, one by one", async () => {
    using world = serveWithTokens({ scope: "repository:acme/js:pull registry:catalog:*" });
    await createRegistryClient().digestOf(`${world.registry.host}/acme/js:1`);
    expect(world.tokenRequests()[0]?.query.getAll("scope")).toEqual(["repository:acme/js:pull", "registry:catalog:*"]);
  });

  test("gets nothing when it sends the password to where others could read it", async () => {
    const realms = [
      "http://tokens.example/token",
      "http://localhost:1/token",
      "ftp://127.0.0.1/token",
      "no address",
      "https://a:b@x.example/",
    ];
    for (const realm of realms) {
      using world = serveWithTokens({ realm });
      const { registry } = world;
      const error = await failure(createRegistryClient({ credentials }).digestOf(`${registry.host}/acme/js:1`));
      expect(error).toMatchObject({ failure: "unexpected_answer" });
      expect(registry.seen.map(({ authorization }) => authorization)).toEqual([null]);
    }
  });

  test("that is elsewhere may name a service elsewhere, by HTTPS", async () => {
    using world = serveWithTokens({ realm: "https://auth.example/token" });
    const { registry } = world;
    const fetch = registry.fetchAs("registry-1.docker.io", "auth.example");
    const asked: string[] = [];
    const client = createRegistryClient({
      fetch,
      credentials: (host) => {
        asked.push(host);
        return credentials();
      },
    });
    expect(await client.digestOf("debian:1")).toBe(manifest.digest);
    expect(registry.seen.map(({ path }) => path)).toContain("/v2/library/debian/manifests/1");
    expect(asked).toEqual(["docker.io"]);
    // But not this machine, by HTTP.
    using local = serveWithTokens({ realm: `${registry.origin}/token` });
    const error = await failure(
      createRegistryClient({ fetch: local.registry.fetchAs("ghcr.io") }).digestOf("ghcr.io/acme/js:1"),
    );
    expect(error).toMatchObject({ failure: "unexpected_answer" });
  });

  test.each([
    [() => new Response(null, { status: 401 }), "unauthorized"],
    [() => new Response(null, { status: 403 }), "denied"],
    [() => new Response(null, { status: 429, headers: { "retry-after": "3" } }), "rate_limited"],
    [() => new Response(null, { status: 500 }), "server_error"],
    [() => Response.json({ token: "" }), "unexpected_answer"],
    [() => Response.json({ token: "with\nnewline" }), "unexpected_answer"],
    [() => new Response("<html>"), "unexpected_answer"],
  ] as const)("fails as its token service does: %#", async (instead, expected) => {
    using world = serveWithTokens({ instead });
    const error = await failure(createRegistryClient({ credentials }).digestOf(`${world.registry.host}/acme/js:1`));
    expect(error).toMatchObject({ failure: expected, ...(expected === "rate_limited" ? { retryAfterMs: 3000 } : {}) });
    expect(`${error.message} ${error.stack}`).not.toContain(password);
  });

  test("is not asked for ever when it takes none of its own tokens", async () => {
    const insufficient = 'error="insufficient_scope"';
    for (const [extra, expected] of [
      ["", "unauthorized"],
      [`,${insufficient}`, "denied"],
    ] as const) {
      using registry = serveRegistry((_, url) => {
        if (url.pathname === "/token") return Response.json({ access_token: "token" });
        const challenge = `Bearer realm="${url.origin}/token"${extra}`;
        return new Response(null, { status: 401, headers: { "www-authenticate": challenge } });
      });
      const client = createRegistryClient();
      expect(await failure(client.digestOf(`${registry.host}/acme/js:1`))).toMatchObject({ failure: expected });
      expect(registry.seen).toHaveLength(3);
      expect(await failure(client.digestOf(`${registry.host}/acme/go:1`))).toMatchObject({ failure: expected });
      expect(registry.seen).toHaveLength(5);
    }
  });
});

describe("a registry that wants a password", () => {
  const serve = () =>
    serveRegistry((request, url) =>
      request.headers.get("authorization") === basic
        ? manifestAnswer(url, { "1": manifest })
        : new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="r"' } }),
    );

  test("gets it once it asked for it, and then at once", async () => {
    using registry = serve();
    const client = createRegistryClient({ credentials });
    expect(await client.digestOf(`${registry.host}/acme/js:1`)).toBe(manifest.digest);
    expect(await client.digestOf(`${registry.host}/acme/js:1`)).toBe(manifest.digest);
    expect(registry.seen.map(({ authorization }) => authorization)).toEqual([null, basic, basic]);
  });

  test("is told to need one where there is none, and is not asked twice with a wrong one", async () => {
    using registry = serve();
    const imageRef = `${registry.host}/acme/js:1`;
    const error = await failure(createRegistryClient().digestOf(imageRef));
    expect(error).toMatchObject({ failure: "unauthorized", status: 401 });
    expect(error.message).toContain(`docker login ${registry.host}`);
    const wrong = createRegistryClient({ credentials: () => ({ username: "alice", password: "wrong-secret" }) });
    registry.seen.length = 0;
    expect((await failure(wrong.digestOf(imageRef))).message).not.toContain("wrong-secret");
    expect((await failure(wrong.digestOf(imageRef))).failure).toBe("unauthorized");
    expect(registry.seen).toHaveLength(3);
  });
});

describe("a redirect", () => {
  const redirectTo = (location: string, status = 307) =>
    serveRegistry((request) =>
      request.headers.has("authorization")
        ? new Response(null, { status, headers: { location } })
        : new Response(null, { status: 401, headers: { "www-authenticate": "Basic" } }),
    );
  const client = createRegistryClient({ credentials });

  test("to another host is followed without the password", async () => {
    using storage = serveRegistry((_, url) => manifestAnswer(url, { "1": manifest }));
    using registry = redirectTo(`${storage.origin}/elsewhere/manifests/1`);
    expect((await client.resolve(`${registry.host}/acme/js:1`))?.digest).toBe(manifest.digest);
    expect(registry.seen.at(-1)?.authorization).toBe(basic);
    expect(storage.seen).toMatchObject([{ path: "/elsewhere/manifests/1", authorization: null }]);
  });

  test("within a host keeps it", async () => {
    using registry = serveRegistry((request, url) => {
      if (!request.headers.has("authorization"))
        return new Response(null, { status: 401, headers: { "www-authenticate": "Basic" } });
      if (url.pathname.startsWith("/v2/old/")) return Response.redirect("/v2/new/manifests/1", 308);
      return manifestAnswer(url, { "1": manifest });
    });
    expect(await client.digestOf(`${registry.host}/old:1`)).toBe(manifest.digest);
    expect(registry.seen.at(-1)).toMatchObject({ method: "HEAD", path: "/v2/new/manifests/1", authorization: basic });
  });

  test.each(["http://example.com/", "file:///etc/passwd", "https://user:pass@example.com/", "http://[", ""])(
    "to %p is not followed",
    async (location) => {
      using registry = redirectTo(location);
      expect(await failure(client.resolve(`${registry.host}/acme/js:1`))).toMatchObject({
        failure: "unexpected_answer",
      });
    },
  );

  test("from HTTPS to HTTP is not followed, to this machine neither", async () => {
    using local = serveRegistry((_, url) => manifestAnswer(url, { "1": manifest }));
    using remote = redirectTo(`${local.origin}/v2/acme/js/manifests/1`);
    const away = createRegistryClient({ credentials, fetch: remote.fetchAs("ghcr.io") });
    expect(await failure(away.resolve("ghcr.io/acme/js:1"))).toMatchObject({ failure: "unexpected_answer" });
    expect(local.seen).toEqual([]);
  });

  test("that never ends does", async () => {
    using registry = serveRegistry((_, { pathname }) => Response.redirect(pathname, 302));
    expect(await failure(client.resolve(`${registry.host}/acme/js:1`))).toMatchObject({ failure: "unexpected_answer" });
    expect(registry.seen).toHaveLength(5);
  });

  test("of a token service does not carry the password on", async () => {
    using thief = serveRegistry(() => Response.json({ token: "token" }));
    using world = serveWithTokens({ instead: () => Response.redirect(`${thief.origin}/token`, 302) });
    await failure(client.digestOf(`${world.registry.host}/acme/js:1`));
    expect(thief.seen.map(({ authorization }) => authorization)).toEqual([null]);
  });
});

describe("a challenge", () => {
  const bearer = (rest: object) => ({ scheme: "bearer", service: null, scope: null, error: null, ...rest });

  test.each([
    [
      'Bearer realm="https://a/t",service="s",scope="x y"',
      bearer({ realm: "https://a/t", service: "s", scope: "x y" }),
    ],
    ['bearer Realm=https://a/t , error="e\\"q"', bearer({ realm: "https://a/t", error: 'e"q' })],
    ['Basic realm="r", charset="UTF-8", Bearer realm="https://a/t"', bearer({ realm: "https://a/t" })],
    ['Negotiate, Basic realm="a, Bearer realm=b"', { scheme: "basic" }],
    ["Basic", { scheme: "basic" }],
    ['Bearer service="s"', null],
    ["Digest realm=r", null],
    ["", null],
    [`${"Basic ".repeat(2)}${",".repeat(10_000)}`, { scheme: "basic" }],
    ['Bearer realm="unclosed', null],
  ])("%# is read", (header, challenge) => {
    expect(readChallenge(header)).toEqual(challenge as ReturnType<typeof readChallenge>);
  });
});

import { describe, expect, test } from "bun:test";
import { type CoolifyError, createCoolifyClient } from "../src/index.ts";
import { failureFrom, serve, serveSockets } from "./support/serve.ts";

const TOKEN = "7|s3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3t";
const VALUE = "sk-very-private-value";

/** Everything a log or an answer could make of an error. */
function shown(error: CoolifyError): string {
  return [String(error), error.message, error.stack, JSON.stringify(error), Bun.inspect(error)].join("\n");
}

const write = (url: string, timeoutMs = 30_000) =>
  createCoolifyClient({ baseUrl: url, token: TOKEN, timeoutMs, throttleMsMax: 0 }).bulkUpdateEnvs("app", [
    { key: "API_KEY", value: VALUE },
  ]);

describe("neither the token nor a variable's value shows in an error", () => {
  const echoes: [string, (text: string) => Response][] = [
    ["a message", (text) => Response.json({ message: `Bad ${text}` }, { status: 422 })],
    ["field errors", (text) => Response.json({ message: "x", errors: { [text]: [`not ${text}`] } }, { status: 422 })],
    ["a list of errors", (text) => Response.json({ message: "x", errors: [`not ${text}`] }, { status: 422 })],
    ["a conflict", (text) => Response.json({ message: text, conflicts: [{ domain: text }] }, { status: 409 })],
    ["an ability", (text) => Response.json({ message: `Missing required permissions: ${text}` }, { status: 403 })],
    ["HTML", (text) => new Response(`<p>${text}</p>`, { status: 500 })],
    ["a server error", (text) => Response.json({ message: "Server Error", exception: text }, { status: 500 })],
    [
      "a redirect",
      (text) => new Response(null, { status: 302, headers: { Location: `/?${encodeURIComponent(text)}` } }),
    ],
    ["a success of another shape", (text) => Response.json({ [text]: text })],
    ["a success with a wrong item", (text) => Response.json([{ uuid: text, key: text }])],
    ["a rate limit", (text) => Response.json({ message: text }, { status: 429 })],
  ];
  for (const [where, echo] of echoes) {
    test(`that comes back in ${where}`, async () => {
      await using place = serve((request) =>
        echo(`${request.headers.get("authorization") ?? ""} ${VALUE} ${TOKEN} ${TOKEN.slice(2)}`),
      );
      const text = shown(await failureFrom(write(place.url)));
      expect(text).not.toContain(TOKEN.slice(2));
      expect(text).not.toContain(VALUE);
    });
  }

  test("of a connection that breaks, is refused, or times out", async () => {
    using broken = await serveSockets((socket) => socket.resetAndDestroy());
    using silent = await serveSockets(() => {});
    const closed = await serveSockets(() => {});
    closed[Symbol.dispose]();
    for (const url of [broken.url, silent.url, closed.url, "http://nope.invalid"]) {
      const text = shown(await failureFrom(write(url, 100)));
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(VALUE);
    }
  });

  for (const token of ["", "two words", "line\nbreak-secret", "ünï-secret", "x".repeat(501)]) {
    test(`of a token that is none: ${JSON.stringify(token.slice(0, 12))}`, () => {
      let text = "";
      try {
        createCoolifyClient({ baseUrl: "http://127.0.0.1", token });
      } catch (error) {
        text = Bun.inspect(error) + JSON.stringify(error);
      }
      expect(text).toContain("unsafe_value");
      if (token !== "") expect(text).not.toContain(token);
      expect(text).not.toContain("break-secret");
    });
  }

  test("of a value or key that is refused before it is sent", async () => {
    const coolify = createCoolifyClient({ baseUrl: "http://127.0.0.1:1", token: TOKEN });
    const secret = `it's ${VALUE}`;
    const byValue = await failureFrom(coolify.createEnv("app", { key: "API_KEY", value: secret }));
    const byKey = await failureFrom(coolify.createEnv("app", { key: secret, value: "x" }));
    expect(byValue.errors).toMatchObject([{ path: "API_KEY" }]);
    for (const error of [byValue, byKey]) expect(shown(error)).not.toContain(VALUE);
  });
});

test("the token travels in the Authorization header alone, and not to /health", async () => {
  await using place = serve((request) => new Response(request.url.endsWith("/health") ? "OK" : "4.3.10"));
  const coolify = createCoolifyClient({ baseUrl: place.url, token: TOKEN });
  await coolify.version();
  await coolify.health();
  const [asked, health] = place.requests;
  expect(asked?.headers["authorization"]).toBe(`Bearer ${TOKEN}`);
  expect(asked?.path).not.toContain(TOKEN);
  expect(JSON.stringify(health)).not.toContain(TOKEN);
});

test("secrets in a server's settings are not handed on", async () => {
  const settings = {
    wildcard_domain: "https://x.example.com",
    sentinel_token: "private",
    logdrain_axiom_api_key: "private",
  };
  await using place = serve(() => Response.json([{ uuid: "u", name: "n", settings }]));
  const servers = await createCoolifyClient({ baseUrl: place.url, token: TOKEN }).listServers();
  expect(servers[0]?.settings).toEqual({ wildcard_domain: "https://x.example.com" });
});

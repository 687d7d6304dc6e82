import { describe, expect, test } from "bun:test";
import { COOLIFY_VERSION_MIN, type CoolifyFailure, createCoolifyClient } from "../src/index.ts";
import { answerBody, isRecord, type Recorded, recordedExchanges } from "./support/recorded.ts";
import { failureFrom, serve } from "./support/serve.ts";

const exchanges = await recordedExchanges();

/** The recorded answer to a request like the one of the preflight. */
function recorded(find: (exchange: Recorded) => boolean): Recorded {
  const exchange = exchanges.find(find);
  if (exchange === undefined) throw new Error("no such exchange was recorded");
  return exchange;
}

const replay = (exchange: Recorded, version?: string) => {
  const body = version ?? answerBody(exchange);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(text, { status: exchange.status, headers: exchange.response_headers });
};
const lacks = (ability: string) =>
  recorded(
    ({ status, response_json: body }) =>
      status === 403 && isRecord(body) && body["message"] === `Missing required permissions: ${ability}`,
  );

const as = (token: string) => (exchange: Recorded) =>
  exchange.request_headers["Authorization"] === `Bearer <${token} token>`;
const answers = {
  version: recorded(({ label }) => label === "version"),
  serversSensitive: recorded((each) => each.route === "/servers" && as("all")(each)),
  servers: recorded((each) => each.route === "/servers" && as("read")(each)),
  emptyPatch: recorded(({ label }) => label === "PATCH empty object"),
  unknownPatch: recorded(({ label }) => label === "PATCH unknown uuid"),
  deployNothing: recorded(({ label }) => label === "POST /deploy no uuid"),
};

/** Answers as Coolify does: the ability comes first, then what the request asks for. */
function coolifyFor(abilities: string[], { version = "4.3.10", patch = answers.emptyPatch } = {}) {
  const has = (ability: string) => abilities.includes("root") || abilities.includes(ability);
  return serve((request) => {
    const { pathname } = new URL(request.url);
    switch (`${request.method} ${pathname.replace("/api/v1", "")}`) {
      case "GET /version":
        return replay(has("read") ? answers.version : lacks("read"), has("read") ? version : undefined);
      case "GET /servers":
        if (!has("read")) return replay(lacks("read"));
        return replay(has("read:sensitive") ? answers.serversSensitive : answers.servers);
      case "PATCH /applications/agentpod-preflight":
        return replay(has("write") ? patch : lacks("write"));
      case "POST /deploy":
        return replay(has("deploy") ? answers.deployNothing : lacks("deploy"));
      default:
        return new Response("unexpected", { status: 599 });
    }
  });
}

describe("the preflight", () => {
  const cases: [string[], string[], boolean | null][] = [
    [["root"], [], true],
    [["read", "write", "deploy", "read:sensitive"], [], true],
    [["read", "write", "deploy"], [], false],
    [["read", "write"], ["deploy"], false],
    [["read", "deploy"], ["write"], false],
    [["write", "deploy"], ["read"], null],
    [["read"], ["write", "deploy"], false],
    [["write"], ["read", "deploy"], null],
    [["deploy"], ["read", "write"], null],
    [["read:sensitive"], ["read", "write", "deploy"], null],
  ];
  for (const [abilities, missing, readSensitive] of cases) {
    test(`finds of a token with ${abilities.join(", ")} that it lacks ${missing.join(", ") || "nothing"}`, async () => {
      await using place = coolifyFor(abilities);
      const found = await createCoolifyClient({ baseUrl: place.url, token: "t" }).preflight();
      const has = (ability: string) => !missing.includes(ability);
      expect(found.missing).toEqual(missing);
      expect(found.abilities).toEqual({ read: has("read"), write: has("write"), deploy: has("deploy"), readSensitive });
      expect([found.version, found.versionSupported]).toEqual(has("read") ? ["4.3.10", true] : [null, null]);
    });
  }

  test("asks only what can change nothing", async () => {
    await using place = coolifyFor(["read", "write", "deploy"]);
    await createCoolifyClient({ baseUrl: place.url, token: "t" }).preflight();
    expect(place.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /api/v1/version",
      "PATCH /api/v1/applications/agentpod-preflight",
      "POST /api/v1/deploy",
      "GET /api/v1/servers",
    ]);
  });

  test("takes the unknown application as well as the empty change for the ability to write", async () => {
    await using place = coolifyFor(["read", "write", "deploy"], { patch: answers.unknownPatch });
    expect((await createCoolifyClient({ baseUrl: place.url, token: "t" }).preflight()).abilities.write).toBe(true);
  });

  test("cannot tell read:sensitive without a server", async () => {
    await using place = serve((request) => {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith("/version")) return new Response("4.3.10");
      if (pathname.endsWith("/servers")) return Response.json([]);
      return Response.json({ message: "You must provide uuid or tag." }, { status: 400 });
    });
    const { abilities } = await createCoolifyClient({ baseUrl: place.url, token: "t" }).preflight();
    expect(abilities.readSensitive).toBeNull();
  });

  const versions: [string, boolean][] = [
    [COOLIFY_VERSION_MIN, true],
    ["4.2.1", true],
    ["4.3.10", true],
    ["4.10.0", true],
    ["5.0.0", true],
    ["v4.3.0", true],
    ["4.3.0-beta.2", true],
    ["4.2.0-beta.1", false],
    ["4.1.9", false],
    ["4.1.10", false],
    ["4.0.0-beta.470", false],
    ["3.12.36", false],
  ];
  for (const [version, supported] of versions) {
    test(`says of ${version} that it is ${supported ? "" : "not "}new enough`, async () => {
      await using place = coolifyFor(["read", "write", "deploy"], { version });
      const found = await createCoolifyClient({ baseUrl: place.url, token: "t" }).preflight();
      expect(found).toMatchObject({ version, versionSupported: supported });
    });
  }

  const failing: [string, string, CoolifyFailure][] = [
    ["a bad token", "bad token", "unauthenticated"],
    ["the API disabled", "API disabled", "api_disabled"],
    ["an address that is not allowed", "IP not allowed", "address_not_allowed"],
    ["an expired token", "expired token", "unauthenticated"],
  ];
  for (const [what, label, failure] of failing) {
    test(`fails with ${failure} for ${what}, after one request`, async () => {
      const exchange = recorded((each) => each.label === label && each.status >= 400);
      await using place = serve(() => replay(exchange));
      const error = await failureFrom(createCoolifyClient({ baseUrl: place.url, token: "t" }).preflight());
      expect([error.failure, place.requests.length]).toEqual([failure, 1]);
    });
  }

  test("fails when nobody answers, and never says that something may have happened", async () => {
    const error = await failureFrom(createCoolifyClient({ baseUrl: "http://127.0.0.1:1", token: "t" }).preflight());
    expect(error).toMatchObject({ failure: "unreachable", mayHaveHappened: false });
    await using place = serve((request) =>
      request.method === "GET" ? new Response("4.3.10") : new Response("no", { status: 502 }),
    );
    const late = await failureFrom(createCoolifyClient({ baseUrl: place.url, token: "t" }).preflight());
    expect(late).toMatchObject({ failure: "server_error", mayHaveHappened: false });
  });
});

describe("what the preflight relies on was recorded:", () => {
  test("a read token is refused by its ability before anything else of the request is looked at", () => {
    const write = recorded((each) => each.method === "PATCH" && each.status === 403 && as("read")(each));
    const deploy = recorded((each) => each.route === "/deploy" && each.status === 403 && as("read")(each));
    expect([write.response_json, deploy.response_json, deploy.query]).toEqual([
      { message: "Missing required permissions: write" },
      { message: "Missing required permissions: deploy" },
      { uuid: "x" },
    ]);
  });

  test("with the ability, an empty change and a deployment of nothing are refused for what they are", () => {
    expect([answers.emptyPatch.status, answers.unknownPatch.status, answers.deployNothing.status]).toEqual([
      400, 404, 400,
    ]);
  });
});

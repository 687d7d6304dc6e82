import { afterAll, describe, expect, test } from "bun:test";
import { CoolifyError, type CoolifyFailure, coolifyFailures, createCoolifyClient } from "../src/index.ts";
import { expectedFailures } from "./support/expected-failures.ts";
import { answerBody, isRecord, recordedExchanges } from "./support/recorded.ts";
import { startReplayServer } from "./support/replay-server.ts";
import { failureFrom, serve } from "./support/serve.ts";

const exchanges = await recordedExchanges();
const server = startReplayServer(exchanges);
afterAll(() => server.close());

const errorAnswers = exchanges.filter(({ status }) => status >= 300);
const messageOf = (body: unknown) => (isRecord(body) && typeof body["message"] === "string" ? body["message"] : "");

describe("an error answer", () => {
  for (const exchange of errorAnswers) {
    const said = messageOf(answerBody(exchange));
    test(`of ${exchange.status} "${said}" has its cause (line ${exchange.line})`, async () => {
      const expected = expectedFailures.find(([status, message]) => status === exchange.status && message === said);
      server.play(exchange);
      const client = createCoolifyClient({ baseUrl: server.url, token: "t", throttleMsMax: 0 });
      const error = await failureFrom(client.version());
      expect({ failure: error.failure, status: error.status }).toEqual({
        failure: expected?.[2] ?? "unsafe_value",
        status: exchange.status,
      });
    });
  }

  test("has a row for each status and message that was recorded, and no other", () => {
    const recorded = new Set(errorAnswers.map((each) => `${each.status} ${messageOf(answerBody(each))}`));
    expect(expectedFailures.map(([status, message]) => `${status} ${message}`).toSorted()).toEqual(
      [...recorded].toSorted(),
    );
  });

  const json = (status: number, body: unknown, headers = {}) => Response.json(body, { status, headers });
  const html = (status: number) =>
    new Response("<html>no</html>", { status, headers: { "Content-Type": "text/html" } });
  const others: [string, () => Response, CoolifyFailure, boolean][] = [
    ["a token without a team", () => json(400, { message: "Invalid token.", docs: "x" }), "unauthenticated", false],
    ["a member's token", () => json(403, { message: "Missing required team role." }), "forbidden", false],
    [
      "a policy",
      () => json(403, { message: "This action is unauthorized.", error: "Unauthorized" }),
      "forbidden",
      false,
    ],
    ["a proxy's 404 page", () => html(404), "unexpected_response", true],
    ["a plain 404", () => new Response("404 page not found", { status: 404 }), "unexpected_response", true],
    ["a firewall's 403 page", () => html(403), "unexpected_response", true],
    ["a JSON 404 without a message", () => json(404, {}), "unexpected_response", false],
    ["a gateway's 502 page", () => html(502), "server_error", true],
    ["a gateway's 504 page", () => html(504), "server_error", true],
    ["maintenance", () => json(503, { message: "Service Unavailable" }, { "Retry-After": "7" }), "server_error", true],
    ["a proxy's 429 page", () => html(429), "rate_limited", false],
    ["a body too large", () => json(413, { message: "Payload too large." }), "invalid_request", false],
    ["an unknown status", () => json(418, { message: "No." }), "unexpected_response", false],
    ["a login page", () => html(200), "unexpected_response", true],
    ["a 200 of another shape", () => json(200, { ok: 1 }), "unexpected_response", true],
  ];
  for (const [what, answer, failure, mayHaveHappened] of others) {
    test(`of ${what} to a write is ${failure}${mayHaveHappened ? ", and may have happened" : ""}`, async () => {
      await using place = serve(answer);
      const client = createCoolifyClient({ baseUrl: place.url, token: "t", throttleMsMax: 0 });
      const error = await failureFrom(client.createEnvironment("p", { name: "staging" }));
      expect({ failure: error.failure, mayHaveHappened: error.mayHaveHappened }).toEqual({ failure, mayHaveHappened });
    });
  }
});

describe("a CoolifyError", () => {
  const play = async (label: string) => {
    const exchange = exchanges.find((each) => each.label === label);
    if (exchange === undefined) throw new Error(`no exchange ${label}`);
    server.play(exchange);
    return failureFrom(createCoolifyClient({ baseUrl: server.url, token: "t" }).version());
  };

  test("holds the fields of all three shapes of errors", async () => {
    expect((await play("create dockerimage nothing else")).errors).toEqual([
      { path: "project_uuid", message: "This field is required." },
      { path: "server_uuid", message: "This field is required." },
    ]);
    expect((await play("storage create without name")).errors).toEqual([
      { path: "name", message: "The name field is required for persistent storages." },
    ]);
    expect((await play("PATCH domains no scheme")).errors).toEqual([
      { path: "", message: "Invalid URL: pa.example.com" },
    ]);
  });

  test("holds who has the domain", async () => {
    const { conflicts, message } = await play("create dockerimage same domain 409");
    expect(conflicts).toEqual([
      { domain: "https://a.example.com:4096", resource_name: "agent one", resource_uuid: "4ly5euwarwiwxrh7g8fuxhxk" },
    ]);
    expect(message).toStartWith("GET /version: answered 409.");
  });

  test("names the missing ability and says where to add it", async () => {
    const error = await play("read token on deploy endpoint");
    expect(error.missingAbilities).toEqual(["deploy"]);
    expect(error.message).toContain("Keys & Tokens");
  });

  test("holds the wait of a full queue", async () => {
    const error = await play("(queue full) POST /deploy -> 429");
    expect(error).toMatchObject({ failure: "queue_full", retryAfterMs: 60_000 });
  });

  test("understands a Retry-After that is a date", async () => {
    const at = new Date(Date.now() + 30_000).toUTCString();
    await using place = serve(() => new Response("", { status: 503, headers: { "Retry-After": at } }));
    const error = await failureFrom(createCoolifyClient({ baseUrl: place.url, token: "t" }).version());
    expect(error.retryAfterMs).toBeWithin(25_000, 30_001);
  });

  test("has one of a closed list of causes", () => {
    expect(new Set(coolifyFailures).size).toBe(20);
    for (const [, , failure] of expectedFailures) expect(coolifyFailures).toContain(failure);
    expect(new CoolifyError("timeout", "x")).toBeInstanceOf(Error);
  });

  test("of variables says that a part may be stored when one of many was refused", async () => {
    await using place = serve(() => Response.json({ message: "Validation failed.", errors: {} }, { status: 422 }));
    const client = createCoolifyClient({ baseUrl: place.url, token: "t" });
    const many = await failureFrom(client.bulkUpdateEnvs("a", [{ key: "A", value: "1" }]));
    const single = await failureFrom(client.createEnv("a", { key: "A", value: "1" }));
    expect([many.mayHaveHappened, single.mayHaveHappened]).toEqual([true, false]);
  });
});

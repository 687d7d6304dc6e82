import { afterAll, describe, expect, test } from "bun:test";
import { CoolifyError, createCoolifyClient, imageReference } from "../src/index.ts";
import { notCovered, refused } from "./support/coverage.ts";
import { expectedFailures } from "./support/expected-failures.ts";
import { answerBody, isRecord, type Recorded, recordedExchanges } from "./support/recorded.ts";
import { type ReplayCall, replayCall } from "./support/replay-call.ts";
import { type Received, startReplayServer } from "./support/replay-server.ts";

const exchanges = await recordedExchanges();
const server = startReplayServer(exchanges);
afterAll(() => server.close());

const refusedLabels = new Set(Object.values(refused).flat());
const isRefused = ({ label, method }: Recorded) => method !== "DELETE" && refusedLabels.has(label.trim());
const covered = exchanges.filter((exchange) => !notCovered.some(({ when }) => when(exchange)));
const name = ({ line, method, path, label }: Recorded) => `line ${line}, ${method} ${path}: ${label.trim()}`;

describe("every recorded exchange with a real Coolify", () => {
  test("is covered by a call of the client, or listed with the reason why not", () => {
    expect(covered.filter((exchange) => replayCall(exchange) === null).map(name)).toEqual([]);
  });

  test("meets each listed reason and each refusal", () => {
    expect(notCovered.filter(({ when }) => !exchanges.some(when)).map(({ reason }) => reason)).toEqual([]);
    const met = new Set(covered.filter(isRefused).map(({ label }) => label.trim()));
    expect([...refusedLabels].filter((label) => !met.has(label))).toEqual([]);
  });

  test("is for the most part sent for real", () => {
    const sent = covered.filter((exchange) => !isRefused(exchange)).length;
    expect({ sent, refused: covered.length - sent, notCovered: exchanges.length - covered.length }).toEqual({
      sent: 404,
      refused: 121,
      notCovered: 62,
    });
  });
});

describe("the client", () => {
  for (const exchange of covered.filter(isRefused)) {
    test(`refuses ${name(exchange)}`, async () => {
      const { outcome, received } = await play(exchange, callFor(exchange));
      expect(outcome).toBeInstanceOf(CoolifyError);
      expect(outcome).toMatchObject({ failure: "unsafe_value", status: null, mayHaveHappened: false });
      expect(received).toEqual([]);
    });
  }

  for (const exchange of covered.filter((each) => !isRefused(each))) {
    test(`sends and understands ${name(exchange)}`, async () => {
      const call = callFor(exchange);
      const { outcome, received } = await play(exchange, call);
      expect(received).toHaveLength(1);
      expectAsAccepted(received[0], exchange, call);
      if (exchange.status < 300) expect(outcome).not.toBeInstanceOf(Error);
      else expectFailure(outcome, exchange);
    });
  }

  test("writes an image as Coolify stores it, whatever way the recorded request wrote it", () => {
    const stored = exchanges.flatMap((exchange, index) => {
      const read = exchanges[index + 1];
      const isPair = exchange.label.startsWith("image: ") && exchange.status === 201 && read?.method === "GET";
      return isPair && !isRefused(exchange) ? [{ exchange, read }] : [];
    });
    expect(stored.length).toBeGreaterThanOrEqual(7);
    for (const { exchange, read } of stored) {
      const { body } = callFor(exchange);
      expect(isRecord(body) && isRecord(read.response_json)).toBe(true);
      if (!isRecord(body) || !isRecord(read.response_json)) continue;
      const { docker_registry_image_name, docker_registry_image_tag } = read.response_json;
      expect(body).toMatchObject({ docker_registry_image_name, docker_registry_image_tag });
      expect(
        imageReference(`${String(docker_registry_image_name)}:${String(docker_registry_image_tag)}`),
      ).toMatchObject({
        docker_registry_image_name,
        docker_registry_image_tag,
      });
    }
  });
});

async function play(exchange: Recorded, call: ReplayCall): Promise<{ outcome: unknown; received: Received[] }> {
  server.play(exchange);
  const client = createCoolifyClient({ baseUrl: server.url, token: "test-token", throttleMsMax: 0 });
  const outcome: unknown = await call.run(client).catch((error: unknown) => error);
  return { outcome, received: server.received() };
}

function callFor(exchange: Recorded): ReplayCall {
  const call = replayCall(exchange);
  if (call === null) throw new Error(`no call for ${name(exchange)}`);
  return call;
}

/** Method, path, query and body are those that Coolify took. */
function expectAsAccepted(received: Received | undefined, exchange: Recorded, call: ReplayCall): void {
  const { method, path, query, headers, body } = received ?? {};
  expect({ method, path, query }).toEqual({
    method: exchange.method,
    path: new URL(exchange.path, server.url).pathname,
    query: call.query,
  });
  expect(headers?.["accept"]).toBe("application/json");
  expect(headers?.["content-type"]).toBe(call.body === undefined ? undefined : "application/json");
  expect(headers?.["authorization"]).toBe(exchange.path === "/api/health" ? undefined : "Bearer test-token");
  const isEnv = /\/envs(\/bulk)?$/.test(exchange.route);
  expect(isEnv ? withoutFlags(body) : body).toEqual(call.body);
}

/** The flags that the client adds to each variable are ones that Coolify took in some recorded request. */
function withoutFlags(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withoutFlags);
  if (!isRecord(body)) return body;
  if ("data" in body) return { data: withoutFlags(body["data"]) };
  const { key, value, ...flags } = body;
  expect(Object.keys(flags).filter((flag) => !acceptedFlags.has(flag))).toEqual([]);
  expect(flags).toMatchObject({ is_literal: true, is_multiline: false, is_shown_once: false, is_preview: false });
  return { key, value };
}

const acceptedFlags = new Set(
  exchanges
    .filter(({ route, status }) => route.endsWith("/envs") && status === 201)
    .flatMap(({ request_json: body }) => Object.keys(isRecord(body) ? body : {})),
);

function expectFailure(outcome: unknown, exchange: Recorded): void {
  const body = answerBody(exchange);
  const said = isRecord(body) ? body["message"] : "";
  const row = expectedFailures.find(([status, message]) => status === exchange.status && message === said);
  expect(row).toBeDefined();
  const isWrite = exchange.method !== "GET";
  const isHalfDone = exchange.route.endsWith("/bulk") && exchange.status === 422;
  expect(outcome).toMatchObject({
    name: "CoolifyError",
    status: exchange.status,
    failure: row?.[2],
    mayHaveHappened: isWrite && (exchange.status >= 500 || isHalfDone),
  });
  expect(String(outcome)).toContain(String(said));
}

import { afterEach, expect, test } from "bun:test";
import { expectWire } from "./support/expect-wire.ts";
import type { CoolifyFakeOptions } from "../src/index.ts";
import { stepUntil } from "./support/wait.ts";
import { world } from "./support/world.ts";

const open: ReturnType<typeof world>[] = [];
const given = (options?: CoolifyFakeOptions) => {
  const one = world(options);
  open.push(one);
  return one;
};
afterEach(async () => {
  for (const { fake } of open.splice(0)) await fake.close();
});

const LONG = { deploymentMs: 60_000 };

test("so many run on a server, so many wait, and one more is refused", async () => {
  const { call, create, start } = given({ ...LONG, concurrentBuilds: 2, queueLimit: 3 });
  const deployments = [];
  for (let at = 0; at < 5; at++) deployments.push(await start(await create()));
  const { json: active } = await call("GET", "/deployments");
  expect(active.map((one) => String(one["status"]))).toEqual([
    "in_progress",
    "in_progress",
    "queued",
    "queued",
    "queued",
  ]);
  const uuid = await create();
  const { status, json, headers } = await call("POST", `/deploy?uuid=${uuid}`);
  expectWire({ status, json, wait: headers.get("retry-after") }).toEqual({
    status: 429,
    json: { message: "Deployment queue is full. Please wait for existing deployments to complete." },
    wait: "60",
  });
  expect((await call("GET", `/deployments/${await start(uuid)}`)).status).toBe(404);
  await call("POST", `/deployments/${deployments[0]}/cancel`);
  expectWire((await call("GET", `/deployments/${deployments[2]}`)).json["status"]).toBe("in_progress");
  expect((await call("POST", `/deploy?uuid=${uuid}`)).status).toBe(200);
});

test("servers have queues of their own", async () => {
  const { fake, call, create, start } = given({ ...LONG, concurrentBuilds: 1, servers: [{}, {}] });
  await start(await create());
  const there = await start(await create({ server_uuid: fake.serverUuids[1] }));
  expectWire((await call("GET", `/deployments/${there}`)).json["status"]).toBe("in_progress");
});

test("while one is under way a second start has no id, and /deploy has one that does not exist", async () => {
  const { call, create, start } = given(LONG);
  const uuid = await create();
  await start(uuid);
  const already = "Deployment already queued for this commit.";
  for (const verb of ["start", "restart"]) {
    expectWire((await call("POST", `/applications/${uuid}/${verb}`)).json).toEqual({ message: already });
  }
  expectWire((await call("PATCH", `/applications/${uuid}`, { instant_deploy: true, name: "stored" })).json).toEqual({
    message: already,
  });
  expectWire((await call("GET", `/applications/${uuid}`)).json["name"]).toBe("stored");
  const deployed = (await call("POST", `/deploy?uuid=${uuid}`)).json["deployments"]?.[0];
  expectWire(deployed?.["message"]).toBe(already);
  expect((await call("GET", `/deployments/${deployed?.["deployment_uuid"]}`)).status).toBe(404);
});

test("a forced one is queued and waits for the one before", async () => {
  const { fake, call, create, start, snapshot } = given({ isStepped: true });
  const uuid = await create();
  const first = await start(uuid);
  await call("PATCH", `/applications/${uuid}`, { docker_registry_image_tag: "v2" });
  const second = await start(uuid, "?force=true");
  const statusOf = async (deployment: string | null) =>
    String((await call("GET", `/deployments/${deployment}`)).json["status"]);
  expect(await statusOf(second)).toBe("queued");
  await stepUntil(fake, "the end of the first", async () => (await statusOf(first)) === "finished");
  expect(snapshot(uuid).running?.image).toBe("ghcr.io/acme/agent:v1");
  await stepUntil(fake, "the end of the second", async () => (await statusOf(second)) === "finished");
  expect(snapshot(uuid).running).toMatchObject({ image: "ghcr.io/acme/agent:v2", deploymentUuid: second as string });
  const { json } = await call("GET", `/deployments/applications/${uuid}?take=1`);
  expectWire([json["count"], json["deployments"]?.[0]?.["deployment_uuid"]]).toEqual([2, second]);
});

test("instant_deploy of a start does not wait for other applications", async () => {
  const { call, create, start } = given({ ...LONG, concurrentBuilds: 1 });
  await start(await create());
  const second = await start(await create(), "?instant_deploy=true");
  expectWire((await call("GET", `/deployments/${second}`)).json["status"]).toBe("in_progress");
});

test("an application that is deleted takes its deployments along and frees their place", async () => {
  const { call, create, start, ended } = given({ concurrentBuilds: 1, deploymentMs: 300, deletionMs: 1 });
  const gone = await create();
  const first = await start(gone);
  const second = await start(await create());
  await call("DELETE", `/applications/${gone}`);
  expect(await ended(second)).toMatchObject({ status: "finished" });
  expect((await call("GET", `/deployments/${first}`)).status).toBe(404);
});

test("name and tag that make no reference fail at the start with 500, not before", async () => {
  const { call, create } = given();
  const uuid = await create({ docker_registry_image_name: "nginx:1.27", docker_registry_image_tag: "1.28" });
  expect((await call("POST", `/applications/${uuid}/start`)).status).toBe(500);
});

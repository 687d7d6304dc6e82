import { afterAll, expect, test } from "bun:test";
import { expectWire } from "./support/expect-wire.ts";
import { request, stepUntil } from "./support/wait.ts";
import { newApplication, world } from "./support/world.ts";

const { fake, call, create, start, ended, status, snapshot } = world();
afterAll(() => fake.close());

const OTHER = {
  docker_registry_image_tag: "v2",
  limits_memory: "512m",
  domains: "https://b.example.com:8080",
  ports_exposes: "8080",
};

test("what runs is what was deployed: a change reaches it with the next start only", async () => {
  const uuid = await create({ domains: "https://a.example.com:4096", limits_memory: "256m" });
  await call("PATCH", `/applications/${uuid}/envs/bulk`, { data: [{ key: "MODE", value: "one", is_literal: true }] });
  expect(snapshot(uuid).running).toBeNull();
  await start(uuid);
  await status(uuid, "running:healthy");
  const first = { image: "ghcr.io/acme/agent:v1", domains: "https://a.example.com:4096" };
  expect(snapshot(uuid).running).toMatchObject({
    ...first,
    env: { MODE: "one", PORT: "4096" },
    limits: { limits_memory: "256m" },
  });

  await call("PATCH", `/applications/${uuid}`, OTHER);
  await call("PATCH", `/applications/${uuid}/envs/bulk`, { data: [{ key: "MODE", value: "two", is_literal: true }] });
  await call("POST", `/applications/${uuid}/storages`, { type: "persistent", name: "work", mount_path: "/work" });
  expect(snapshot(uuid)).toMatchObject({
    image: "ghcr.io/acme/agent:v2",
    envs: { MODE: "two" },
    storages: [{ name: `${uuid}-work`, mount_path: "/work" }],
    running: { ...first, env: { MODE: "one" } },
  });
  expect(fake.volumes()).not.toContain(`${uuid}-work`);

  await ended(await start(uuid));
  expect(snapshot(uuid).running).toMatchObject({
    image: "ghcr.io/acme/agent:v2",
    domains: OTHER.domains,
    env: { MODE: "two", PORT: "8080" },
    limits: { limits_memory: "512m" },
  });
  expect(fake.volumes()).toContain(`${uuid}-work`);
});

test("a change made while a deployment runs is not in it", async () => {
  const uuid = await create();
  const deployment = await start(uuid);
  await call("PATCH", `/applications/${uuid}`, { docker_registry_image_tag: "v2" });
  await ended(deployment);
  expect(snapshot(uuid).running?.image).toBe("ghcr.io/acme/agent:v1");
});

test("a digest given in any accepted form is deployed by digest", async () => {
  const hex = "a".repeat(64);
  const reference = `ghcr.io/acme/agent@sha256:${hex}`;
  const untagged = { docker_registry_image_tag: undefined };
  for (const fields of [
    { ...untagged, docker_registry_image_name: reference },
    { docker_registry_image_tag: hex },
    { docker_registry_image_tag: `sha256-${hex}` },
  ]) {
    expect(snapshot(await create(fields)).image).toBe(reference);
  }
});

test("the list is an array without settings, one application has them", async () => {
  const uuid = await create({ tags: ["listed"] });
  const { json: list } = await call("GET", "/applications");
  expect(Array.isArray(list)).toBe(true);
  expect(list.some((one) => "settings" in one)).toBe(false);
  expect(list.map((one) => String(one["uuid"]))).toContain(uuid);
  const { json: tagged } = await call("GET", "/applications?tag=listed");
  expect(tagged.map((one) => String(one["uuid"]))).toEqual([uuid]);
  expect((await call("GET", `/applications/${uuid}`)).json["settings"]).toMatchObject({ is_force_https_enabled: true });
});

test("a missing application is 404 with the message of its call", async () => {
  const withDot = ["GET ", "GET /logs", "POST /start", "POST /restart", "POST /stop", "GET /storages"];
  const without = ["PATCH ", "DELETE ", "GET /envs", "POST /envs"];
  for (const [calls, message] of [
    [withDot, "Application not found."],
    [without, "Application not found"],
  ] as const) {
    for (const one of calls) {
      const [method = "", rest = ""] = one.split(" ");
      const { status: code, json } = await call(
        method,
        `/applications/nope${rest}`,
        method === "GET" ? undefined : { name: "x" },
      );
      expectWire({ one, code, json }).toEqual({ one, code: 404, json: { message } });
    }
  }
});

test("start, stop, restart and deploy are for POST; a GET is told so with 405, any other verb is 404", async () => {
  const uuid = await create();
  for (const path of [
    ...["start", "stop", "restart"].map((verb) => `/applications/${uuid}/${verb}`),
    `/deploy?uuid=${uuid}`,
  ]) {
    const { status: code, json, headers } = await call("GET", path);
    expectWire({ code, allow: headers.get("allow"), json }).toEqual({
      code: 405,
      allow: "POST",
      json: { message: "This endpoint has changed to a POST request." },
    });
    expect((await call("PUT", path)).status).toBe(404);
  }
  expect(snapshot(uuid).status).toBe("exited:unhealthy");
});

test("errors come in Coolify's order: token, ability, body, place, fields, domains", async () => {
  const path = "/applications/dockerimage";
  const bad = newApplication(fake, { nope: 1, server_uuid: "nope", domains: "nonsense" });
  const statusOf = async (token: string, body: unknown) => (await request(fake, "POST", path, body, token)).status;
  expect(await statusOf("1|wrong", bad)).toBe(401);
  expect(await statusOf(fake.tokens.read, bad)).toBe(403);
  expect(await statusOf(fake.tokens.write, {})).toBe(400);
  expect(await statusOf(fake.tokens.write, bad)).toBe(422);
  expect(await statusOf(fake.tokens.write, { ...bad, nope: undefined })).toBe(404);
  const { json } = await call("POST", path, { ...bad, nope: undefined, server_uuid: fake.serverUuid });
  expectWire(json["errors"]).toEqual({ domains: ["Invalid URL: nonsense"] });
});

test("a project with applications is not deleted; an empty one is", async () => {
  await create();
  expect((await call("DELETE", `/projects/${fake.projectUuid}`)).status).toBe(400);
  const { json } = await call("POST", "/projects", { name: "an empty one" });
  expect((await call("DELETE", `/projects/${json["uuid"]}`)).status).toBe(200);
  expect((await call("GET", `/projects/${json["uuid"]}`)).status).toBe(404);
});

test("a stop during a deployment ends the old container, and the deployment's one runs afterwards", async () => {
  const { fake: stepped, call: ask, create: make, start: begin, snapshot: look } = world({ isStepped: true });
  const uuid = await make();
  await begin(uuid);
  await stepUntil(stepped, "it is healthy", () => look(uuid).status === "running:healthy");
  const deployment = await begin(uuid);
  await ask("POST", `/applications/${uuid}/stop`);
  await stepUntil(stepped, "the stop", () => look(uuid).running === null);
  await stepUntil(stepped, "the deployment", () => look(uuid).running !== null);
  expect(look(uuid).running?.deploymentUuid).toBe(deployment as string);
  await stepped.close();
});

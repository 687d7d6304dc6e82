import { expect, test } from "bun:test";
import { startCoolifyFake } from "../src/index.ts";
import { request } from "./support/wait.ts";
import { world } from "./support/world.ts";

test("close ends the server at once and frees its port, with deployments under way and answers owed", async () => {
  const { fake, create, start } = world({ deploymentMs: 60_000 });
  await start(await create());
  fake.faults.add({ kind: "slow", ms: 60_000 });
  const owed = request(fake, "GET", "/version").catch(() => "cut");
  const port = Number(new URL(fake.url).port);
  await fake.close();
  expect(await owed).toBe("cut");
  const next = startCoolifyFake({ port });
  expect((await request(next, "GET", "/version")).status).toBe(200);
  await next.close();
});

test("a process that closed its fake ends by itself", async () => {
  const script = `
    import { startCoolifyFake } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).pathname)};
    const fake = startCoolifyFake({ deploymentMs: 60_000 });
    const headers = { Authorization: "Bearer " + fake.tokens.all, "Content-Type": "application/json" };
    const body = JSON.stringify({ project_uuid: fake.projectUuid, server_uuid: fake.serverUuid,
      environment_name: "production", docker_registry_image_name: "nginx", instant_deploy: true });
    console.log((await fetch(fake.url + "/api/v1/applications/dockerimage", { method: "POST", headers, body })).status);
    await fake.close();`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", timeout: 10_000 });
  expect(await new Response(child.stdout).text()).toBe("201\n");
  expect(await child.exited).toBe(0);
});

test("one seed gives the same ids and tokens in every run", async () => {
  const [one, same, other] = [1, 1, 2].map((seed) => world({ seed }));
  if (!one || !same || !other) throw new Error("three were started");
  expect(same.fake.tokens).toEqual(one.fake.tokens);
  expect(await same.create()).toBe(await one.create());
  expect(other.fake.serverUuid).not.toBe(one.fake.serverUuid);
  for (const { fake } of [one, same, other]) await fake.close();
});

test("a rate limit counts all tokens together, tells what remains and refuses the rest of its minute", async () => {
  const { fake, call } = world({ rateLimit: { perMinute: 3 } });
  expect((await request(fake, "GET", "/version", undefined, "1|wrong")).headers.get("x-ratelimit-limit")).toBeNull();
  const remaining = [];
  for (const token of [fake.tokens.all, fake.tokens.read, fake.tokens.root]) {
    remaining.push((await request(fake, "GET", "/version", undefined, token)).headers.get("x-ratelimit-remaining"));
  }
  expect(remaining).toEqual(["2", "1", "0"]);
  const { status, headers } = await call("GET", "/version");
  expect(status).toBe(429);
  expect(Number(headers.get("retry-after"))).toBeWithin(1, 61);
  await fake.close();
});

test("requests are kept with the name of their token, never the token", async () => {
  const { fake, call } = world();
  await call("POST", "/projects?x=1", { name: "a project" });
  expect(fake.requests()).toEqual([
    {
      method: "POST",
      path: "/api/v1/projects?x=1",
      token: "all",
      body: { name: "a project" },
      status: 201,
      atMs: expect.any(Number),
    },
  ]);
  await fake.close();
});

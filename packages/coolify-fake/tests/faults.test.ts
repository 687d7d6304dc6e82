import { afterEach, describe, expect, test } from "bun:test";
import { expectWire } from "./support/expect-wire.ts";
import type { CoolifyFakeOptions } from "../src/index.ts";
import { until } from "./support/wait.ts";
import { newApplication, world } from "./support/world.ts";

const open: ReturnType<typeof world>[] = [];
const given = (options?: CoolifyFakeOptions) => {
  const one = world(options);
  open.push(one);
  return one;
};
afterEach(async () => {
  for (const { fake } of open.splice(0)) await fake.close();
});

describe("on any request", () => {
  test("lost_answer does what was asked and cuts the connection", async () => {
    const { fake, call, create } = given();
    fake.faults.add({
      kind: "lost_answer",
      match: { method: "post", path: /^\/applications\/dockerimage$/ },
      times: 1,
    });
    await expect(create()).rejects.toThrow();
    expect(fake.applications()).toHaveLength(1);
    expect(fake.requests().at(-1)).toMatchObject({ method: "POST", status: null, token: "all" });
    expect((await call("GET", "/applications")).json).toHaveLength(1);
  });

  test("lost_request cuts the connection and does nothing", async () => {
    const { fake, create } = given();
    fake.faults.add({ kind: "lost_request", times: 1 });
    await expect(create()).rejects.toThrow();
    expect(fake.applications()).toHaveLength(0);
    await create();
  });

  test("rate_limited refuses before anything is done, with the time to wait", async () => {
    const { fake, call } = given();
    fake.faults.add({ kind: "rate_limited", times: 1, ms: 1500 });
    const { status, json, headers } = await call("POST", "/applications/dockerimage", newApplication(fake));
    expectWire({ status, json }).toEqual({ status: 429, json: { message: "Too Many Attempts." } });
    expect(headers.get("retry-after")).toBe("2");
    expect(headers.get("x-ratelimit-remaining")).toBe("0");
    expect(Number(headers.get("x-ratelimit-reset")) * 1000).toBeGreaterThan(Date.now());
    expect(fake.applications()).toHaveLength(0);
  });

  test("server_error answers 500 and does nothing", async () => {
    const { fake, call } = given();
    fake.faults.add({ kind: "server_error", match: { path: /\/api\/v1\/applications/ }, times: 1 });
    const { status, json } = await call("POST", "/applications/dockerimage", newApplication(fake));
    expectWire({ status, json }).toEqual({ status: 500, json: { message: "Server Error" } });
    expect(fake.applications()).toHaveLength(0);
  });

  test("server_error with done answers 500 although it was done", async () => {
    const { fake, call } = given();
    fake.faults.add({ kind: "server_error", done: true, times: 1 });
    expect((await call("POST", "/applications/dockerimage", newApplication(fake))).status).toBe(500);
    expect(fake.applications()).toHaveLength(1);
  });

  test("html_redirect answers 302 with a page", async () => {
    const { fake, call } = given();
    fake.faults.add({ kind: "html_redirect", times: 1 });
    const { status, json, headers } = await call("GET", "/projects");
    expect(status).toBe(302);
    expect(headers.get("content-type")).toStartWith("text/html");
    expect(headers.get("location")).toBe(fake.url);
    expect(json).toContain("<!DOCTYPE html>");
  });

  test("slow answers as ever, later", async () => {
    const { fake, call } = given();
    fake.faults.add({ kind: "slow", times: 1, ms: 60 });
    const before = performance.now();
    expect((await call("GET", "/version")).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(58);
  });

  test("api_disabled and address_not_allowed are 403 with a message of their own; health still answers", async () => {
    const { fake, call } = given();
    const enable = fake.faults.add({ kind: "api_disabled" });
    expectWire((await call("GET", "/version")).json).toEqual({ success: true, message: "API is disabled." });
    expect((await call("GET", "/health")).status).toBe(200);
    enable();
    fake.faults.add({ kind: "address_not_allowed", times: 1 });
    const { status, json } = await call("GET", "/version");
    expectWire({ status, message: json["message"] }).toEqual({
      status: 403,
      message: "You are not allowed to access the API.",
    });
    expect((await call("GET", "/version")).status).toBe(200);
  });

  test("times, probability and random decide when one strikes; clear ends all", async () => {
    const { fake, call } = given();
    const draws = [0.9, 0.1, 0.9, 0.1, 0.1];
    fake.faults.add({ kind: "server_error", times: 2, probability: 0.5, random: () => draws.shift() ?? 1 });
    const statuses = [];
    for (let at = 0; at < 5; at++) statuses.push((await call("GET", "/version")).status);
    expect(statuses).toEqual([200, 500, 200, 500, 200]);
    fake.faults.add({ kind: "server_error" });
    fake.faults.clear();
    expect((await call("GET", "/version")).status).toBe(200);
  });
});

describe("on a deployment", () => {
  test("queue_full is 429 from /deploy; start, restart and a creation do not tell", async () => {
    const { fake, call, create, start } = given();
    const uuid = await create();
    fake.faults.add({ kind: "queue_full" });
    const { status, headers } = await call("POST", `/deploy?uuid=${uuid}`);
    expect({ status, wait: headers.get("retry-after") }).toEqual({ status: 429, wait: "60" });
    const phantom = await start(uuid);
    expect((await call("GET", `/deployments/${phantom}`)).status).toBe(404);
    await create({ instant_deploy: true });
    expectWire((await call("GET", "/deployments")).json).toEqual([]);
  });

  test("phantom_deployment answers an id that never was", async () => {
    const { fake, call, create, start, ended } = given();
    const uuid = await create();
    fake.faults.add({ kind: "phantom_deployment", times: 1 });
    expect((await call("GET", `/deployments/${await start(uuid)}`)).status).toBe(404);
    expectWire((await call("GET", `/deployments/applications/${uuid}?take=1`)).json["count"]).toBe(0);
    expect(await ended(await start(uuid))).toMatchObject({ status: "finished" });
  });

  test("already_queued answers without an id, unless it is forced", async () => {
    const { fake, call, create, start, ended } = given();
    const uuid = await create();
    fake.faults.add({ kind: "already_queued" });
    expectWire((await call("POST", `/applications/${uuid}/start`)).json).toEqual({
      message: "Deployment already queued for this commit.",
    });
    expect(await ended(await start(uuid, "?force=true"))).toMatchObject({ status: "finished" });
  });

  test("stuck_deployment stays in_progress until it is cancelled, and others of its server wait for it", async () => {
    const { fake, call, create, start, ended } = given({ concurrentBuilds: 1, deploymentMs: 5, servers: [{}, {}] });
    const elsewhere = fake.serverUuids[1] as string;
    const [stuck, other, away] = [await create(), await create(), await create({ server_uuid: elsewhere })];
    fake.faults.add({ kind: "stuck_deployment", times: 1 });
    const first = await start(stuck);
    const second = await start(other);
    expect(await ended(await start(away))).toMatchObject({ status: "finished" });
    expectWire((await call("GET", `/deployments/${first}`)).json["status"]).toBe("in_progress");
    expectWire((await call("GET", `/deployments/${second}`)).json["status"]).toBe("queued");
    expectWire((await call("POST", `/deployments/${first}/cancel`)).json["status"]).toBe("cancelled-by-user");
    expect(await ended(second)).toMatchObject({ status: "finished" });
    expectWire((await call("POST", `/deployments/${second}/cancel`)).json["message"]).toBe(
      "Deployment cannot be cancelled. Current status: finished",
    );
  });

  test("failed_deployment leaves what runs and its status, and tells only in the log", async () => {
    const { fake, call, create, start, ended, status, snapshot } = given();
    const uuid = await create();
    await start(uuid);
    await status(uuid, "running:healthy");
    const before = snapshot(uuid).running;
    await call("PATCH", `/applications/${uuid}`, { docker_registry_image_tag: "v2" });
    fake.faults.add({ kind: "failed_deployment", times: 1 });
    const failed = await ended(await start(uuid));
    expectWire(failed["status"]).toBe("failed");
    expect(String(failed["logs"])).toContain("Deployment failed: ");
    expectWire(snapshot(uuid)).toMatchObject({ status: "running:healthy", running: before });
  });

  test("unhealthy_flicker makes a healthy one unhealthy for a while", async () => {
    const { fake, create, start, status } = given({ healthMs: 300 });
    const uuid = await create();
    fake.faults.add({ kind: "unhealthy_flicker", times: 1, ms: 600 });
    await start(uuid);
    for (const wanted of ["running:healthy", "running:unhealthy", "running:healthy"]) await status(uuid, wanted);
  });

  test("crash_after_finished restarts again and again until Coolify stops it", async () => {
    const { fake, call, create, start, ended, status, snapshot } = given({ healthMs: 50 });
    const uuid = await create({ max_restart_count: 3 });
    fake.faults.add({ kind: "crash_after_finished", times: 1 });
    expect(await ended(await start(uuid))).toMatchObject({ status: "finished" });
    await status(uuid, "restarting:unknown");
    expect(snapshot(uuid).running?.restarting).toBe(true);
    const { status: code, json } = await call("GET", `/applications/${uuid}/logs`);
    expectWire({ code, json }).toEqual({ code: 400, json: { message: "Application is not running." } });
    await status(uuid, "exited:unhealthy");
    expect(snapshot(uuid).running).toBeNull();
  });
});

describe("on the rest", () => {
  test("deletion_lag: all answers as before, the domain stays taken, a second deletion is accepted", async () => {
    const { fake, call, create } = given({ deletionMs: 1 });
    const domains = "https://a.example.com:4096";
    const uuid = await create({ domains });
    const remove = fake.faults.add({ kind: "deletion_lag", ms: 400 });
    for (let time = 0; time < 2; time++) {
      const { status, json } = await call("DELETE", `/applications/${uuid}`);
      expectWire({ status, json }).toEqual({
        status: 200,
        json: { message: "Application deletion request queued." },
      });
    }
    remove();
    expect(fake.applications()[0]?.deletedPending).toBe(true);
    expect((await call("GET", `/applications/${uuid}`)).json["deleted_at"]).toBeNull();
    const taken = await call("POST", "/applications/dockerimage", newApplication(fake, { domains }));
    expect(taken.status).toBe(409);
    expect(taken.json["conflicts"]?.[0]).toMatchObject({ resource_uuid: uuid, domain: domains });
    await until("the deletion", async () => (await call("GET", `/applications/${uuid}`)).status === 404);
    await create({ domains });
  });

  test("server_unreachable: deployments fail, stops do nothing, logs are 500, a deletion leaves container and volume", async () => {
    const { fake, call, create, start, ended, status, snapshot } = given({ stopMs: 1, deletionMs: 1 });
    const uuid = await create();
    await call("POST", `/applications/${uuid}/storages`, { type: "persistent", name: "data", mount_path: "/data" });
    await start(uuid);
    await status(uuid, "running:healthy");
    const reach = fake.faults.add({ kind: "server_unreachable" });
    const failed = await ended(await start(uuid));
    expect(String(failed["logs"])).toContain("Deployment failed: Server is not functional.");
    expectWire((await call("GET", "/servers")).json[0]?.["is_reachable"]).toBe(false);
    expectWire((await call("GET", `/applications/${uuid}`)).json["server_status"]).toBe(false);
    expect((await call("GET", `/applications/${uuid}/logs`)).status).toBe(500);
    await call("POST", `/applications/${uuid}/stop`);
    await until("the stop", () => !snapshot(uuid).stopPending);
    expect(snapshot(uuid).running).not.toBeNull();
    const [container] = fake.containers();
    await call("DELETE", `/applications/${uuid}`);
    await until("the deletion", () => fake.applications().length === 0);
    expect(fake.containers()).toEqual([container as string]);
    expect([fake.volumes(), fake.leftVolumes()]).toEqual([[`${uuid}-data`], [`${uuid}-data`]]);
    reach();
    expectWire((await call("GET", "/servers")).json[0]?.["is_reachable"]).toBe(true);
  });

  test("server_unreachable a number of times fails so many deployments", async () => {
    const { fake, create, start, ended } = given();
    const uuid = await create();
    fake.faults.add({ kind: "server_unreachable", times: 1 });
    expect(await ended(await start(uuid))).toMatchObject({ status: "failed" });
    expect(await ended(await start(uuid))).toMatchObject({ status: "finished" });
  });

  test("proxy_none: a creation stores domains, a change of them is 200 and ignored", async () => {
    const { fake, call, create, snapshot } = given();
    const remove = fake.faults.add({ kind: "proxy_none" });
    const uuid = await create({ domains: "https://a.example.com" });
    const patched = await call("PATCH", `/applications/${uuid}`, { domains: "https://b.example.com" });
    expect(patched.status).toBe(200);
    expect(snapshot(uuid).domains).toBe("https://a.example.com");
    expectWire((await call("GET", `/servers/${fake.serverUuid}`)).json["proxy"]?.["type"]).toBe("NONE");
    remove();
    await call("PATCH", `/applications/${uuid}`, { domains: "https://b.example.com" });
    expect(snapshot(uuid).domains).toBe("https://b.example.com");
  });
});

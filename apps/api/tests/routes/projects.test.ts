import { afterEach, describe, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";

const sunsetAt = new Date("2027-01-31T00:00:00Z");
const before = () => new Date("2027-01-30T23:59:59Z");
const wait = { prefer: "wait=5" };
const noticeNames = ["deprecation", "sunset", "link"];
const noticeIn = (headers: Headers) => noticeNames.map((name) => headers.get(name));

let api: TestApp;
afterEach(async () => await api.close());

describe("a deprecated container tier in a project's body", () => {
  test("is answered with the headers of /api/container-tiers, by POST and by PATCH", async () => {
    api = createTestApp({ sunsetAt, now: before });
    const notice = noticeIn((await api.call("GET", "/api/container-tiers")).headers);
    expect(notice).not.toContain(null);
    const made = await api.call("POST", "/api/projects", { name: "Old", containerTierId: "lite" }, wait);
    expect([made.status, noticeIn(made.headers)]).toEqual([201, notice]);
    expect(made.body.warnings.map(({ code }: { code: string }) => code)).toContain("legacy_field");

    const path = `/api/projects/${made.body.project.id}`;
    const overridden = { containerTierId: "pro", resourceTierId: "starter", flavorId: "js", addonIds: [] };
    const changed = await api.call("PATCH", path, overridden, wait);
    expect([changed.status, noticeIn(changed.headers)]).toEqual([200, notice]);
    expect(changed.body.warnings.map(({ code }: { code: string }) => code)).toContain("legacy_field_overridden");

    const renamed = await api.call("PATCH", path, { name: "New" }, wait);
    expect([renamed.status, noticeIn(renamed.headers)]).toEqual([200, [null, null, null]]);
    const modern = await api.call("POST", "/api/projects", { name: "Modern" }, wait);
    expect([modern.status, noticeIn(modern.headers)]).toEqual([201, [null, null, null]]);
  });

  test("that nobody knows is refused, and nothing is made", async () => {
    api = createTestApp({ sunsetAt, now: before });
    const { status, body } = await api.call("POST", "/api/projects", { name: "Old", containerTierId: "light" });
    expect([status, body.code]).toEqual([422, "invalid_configuration"]);
    expect(body.errors).toMatchObject([{ path: "containerTierId", code: "container_tier_not_found" }]);
    expect((await api.call("GET", "/api/projects")).body.projects).toEqual([]);
  });

  test("is gone from the sunset on, and says what to send instead", async () => {
    let now = before();
    api = createTestApp({ sunsetAt, now: () => now });
    const made = await api.call("POST", "/api/projects", { name: "Old", containerTierId: "lite" }, wait);
    now = sunsetAt;
    for (const [method, path] of [
      ["POST", "/api/projects"],
      ["PATCH", `/api/projects/${made.body.project.id}`],
    ] as const) {
      const { status, body } = await api.call(method, path, { name: "Late", containerTierId: "lite" });
      expect([status, body.code]).toEqual([410, "container_tiers_sunset"]);
      expect(body.errors).toMatchObject([{ path: "containerTierId", fix: expect.stringContaining("starter") }]);
    }
    expect((await api.call("GET", "/api/projects")).body.projects).toMatchObject([{ name: "Old" }]);
  });
});

describe("Prefer: wait=N", () => {
  test("is confirmed where it is honoured, and only there", async () => {
    api = createTestApp();
    const made = await api.call("POST", "/api/projects", { name: "Waited" }, wait);
    const path = `/api/projects/${made.body.project.id}`;
    const applied = async (method: string, at: string, prefer: string, body?: unknown) =>
      (await api.call(method, at, body, { prefer })).headers.get("preference-applied");
    expect(made.headers.get("preference-applied")).toBe("wait=5");
    expect(await applied("PATCH", path, "respond-async, wait=7", { name: "Again" })).toBe("wait=7");
    expect(await applied("POST", `${path}/restart`, "wait=100000")).toBe("wait=100");
    for (const prefer of ["", "return=minimal", "wait=soon", "wait=0"])
      expect(await applied("PATCH", path, prefer, { name: "Again" })).toBeNull();
    expect(await applied("DELETE", path, "wait=9")).toBe("wait=9");
  });
});

describe("a number in a query", () => {
  test.each(["", "0x10", "1e2", "1.0", "+1", "-1", " 1", "Infinity", "99999999999999999999"])(
    "is plain digits, not %j",
    async (value) => {
      api = createTestApp();
      const { body: made } = await api.call("POST", "/api/projects", { name: "Counted" }, wait);
      const project = `/api/projects/${made.project.id}`;
      for (const query of [
        `/api/projects?limit=`,
        `${project}/logs?tail=`,
        `${project}/events?after=`,
        `/api/events?after=`,
      ]) {
        const { status, body } = await api.call("GET", query + encodeURIComponent(value));
        expect([query, status, body.code]).toEqual([query, 400, "invalid_request"]);
        expect(body.errors[0].path).toBe(/\w+(?==$)/.exec(query)?.[0]);
      }
    },
  );

  test("stays within its bounds", async () => {
    api = createTestApp();
    for (const [value, expected] of [
      ["0", 400],
      ["1", 200],
      ["0200", 200],
      ["201", 400],
    ] as const)
      expect((await api.call("GET", `/api/projects?limit=${value}`)).status).toBe(expected);
  });
});

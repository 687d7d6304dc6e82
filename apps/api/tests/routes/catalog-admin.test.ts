import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createTestApp, type TestApp } from "../support/app.ts";

let api: TestApp;
beforeEach(() => {
  api = createTestApp();
});
afterEach(async () => await api.close());

const kinds = [
  {
    path: "/api/resource-tiers",
    one: "tier",
    list: "tiers",
    notFound: "resource_tier_not_found",
    entry: { id: "mega", name: "Mega", cpuCores: 32, memoryGb: 64, storageGb: 500 },
    defaults: { description: null, priceMonthly: 0, isDefault: false, sortOrder: 0 },
  },
  {
    path: "/api/flavors",
    one: "flavor",
    list: "flavors",
    notFound: "flavor_not_found",
    entry: { id: "zig", name: "Zig" },
    defaults: { description: null, languages: [], imageSizeMb: null, isDefault: false, sortOrder: 0 },
  },
  {
    path: "/api/addons",
    one: "addon",
    list: "addons",
    notFound: "addon_not_found",
    entry: { id: "jupyter", name: "Jupyter", category: "interface", port: 8888 },
    defaults: {
      description: null,
      imageSizeMb: null,
      requiresGpu: false,
      requiresFlavor: null,
      priceMonthly: 0,
      sortOrder: 0,
    },
  },
];

describe.each(kinds)("an entry of $path", ({ path, one, list, notFound, entry, defaults }) => {
  const ids = async () => ((await api.call("GET", path)).body[list] as { id: string }[]).map(({ id }) => id);

  test("is made, changed and deleted, and every reader sees it at once", async () => {
    const created = await api.call("POST", path, entry);
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe(`${path}/${entry.id}`);
    expect(created.body[one]).toMatchObject({ ...defaults, ...entry });
    expect(await ids()).toContain(entry.id);

    const changed = await api.call("PATCH", `${path}/${entry.id}`, { id: entry.id, description: "Changed" });
    expect(changed.status).toBe(200);
    expect(changed.body[one]).toMatchObject({ ...entry, description: "Changed" });
    expect((await api.call("GET", `${path}/${entry.id}`)).body).toEqual(changed.body);

    const removed = await api.call("DELETE", `${path}/${entry.id}`);
    expect([removed.status, removed.body]).toEqual([204, undefined]);
    expect(await ids()).not.toContain(entry.id);
  });

  test("is not made over another one", async () => {
    await api.call("POST", path, entry);
    const { status, body } = await api.call("POST", path, { ...entry, name: "Other" });
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "id_taken" });
    expect((await api.call("GET", `${path}/${entry.id}`)).body[one].name).toBe(entry.name);
  });

  test("keeps its id", async () => {
    await api.call("POST", path, entry);
    const { status, body } = await api.call("PATCH", `${path}/${entry.id}`, { id: "other" });
    expect(status).toBe(422);
    expect(body["errors"]).toMatchObject([{ path: "id", code: "immutable_field" }]);
  });

  test("that is not there cannot be changed or deleted", async () => {
    for (const [method, body] of [["PATCH", { name: "X" }], ["DELETE"]] as const) {
      const answer = await api.call(method, `${path}/nope`, body);
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({ code: notFound });
    }
  });

  test.each(["A", "a_b", "-a", "a-", "a--b", "", "x".repeat(23), "ä", "a.b", "a/b", 7, null])(
    "is not made with the id %j",
    async (id) => {
      const { status, body } = await api.call("POST", path, { ...entry, id });
      expect(status).toBe(422);
      expect(body["errors"][0].path).toBe("id");
      expect(await ids()).not.toContain(id);
    },
  );

  test("with the times of its own making is refused", async () => {
    const { status, body } = await api.call("POST", path, { ...entry, createdAt: "2020-01-01T00:00:00Z" });
    expect(status).toBe(422);
    expect(body["errors"]).toMatchObject([{ path: "createdAt", code: "unknown_field" }]);
  });

  test("that a project uses is not deleted", async () => {
    await api.call("POST", path, entry);
    const used = {
      tier: { resourceTierId: entry.id },
      flavor: { flavorId: entry.id },
      addon: { addonIds: [entry.id] },
    }[one];
    expect((await api.call("POST", "/api/projects", { name: "demo", ...used })).status).toBe(201);
    const { status, body } = await api.call("DELETE", `${path}/${entry.id}`);
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: "in_use" });
    expect(await ids()).toContain(entry.id);
  });
});

describe.each([
  ["/api/resource-tiers", "tiers", "starter", "power"],
  ["/api/flavors", "flavors", "fullstack", "go"],
])("the default of %s", (path, list, first, second) => {
  const defaults = async () =>
    ((await api.call("GET", path)).body[list] as { id: string; isDefault: boolean }[])
      .filter(({ isDefault }) => isDefault)
      .map(({ id }) => id);

  test("is one, and goes to the entry that is made it", async () => {
    expect(await defaults()).toEqual([first]);
    expect((await api.call("PATCH", `${path}/${second}`, { isDefault: true })).status).toBe(200);
    expect(await defaults()).toEqual([second]);
    const { body } = await api.call("POST", "/api/images/resolve", {});
    expect([body["flavor"].id, body["resourceTier"].id]).toContain(second);
  });

  test("is neither given up nor deleted", async () => {
    for (const [method, body] of [["PATCH", { isDefault: false }], ["DELETE"]] as const) {
      const answer = await api.call(method, `${path}/${first}`, body);
      expect(answer.status).toBe(409);
      expect(answer.body["detail"]).toContain("make another one the default first");
    }
    expect(await defaults()).toEqual([first]);
  });
});

describe("an addon", () => {
  test.each([4096, 4097, 8080])("cannot have port %d, which another service has", async (port) => {
    const { status, body } = await api.call("POST", "/api/addons", { id: "x", name: "X", category: "devops", port });
    expect(status).toBe(422);
    expect(body["errors"]).toMatchObject([{ path: "port", code: "invalid_value" }]);
    expect((await api.call("PATCH", "/api/addons/gui", { port })).status).toBe(422);
  });

  test("keeps its own port in a change", async () => {
    expect((await api.call("PATCH", "/api/addons/gui", { port: 6080, name: "Desktop" })).status).toBe(200);
  });

  test("can ask for a flavor only when there is one, which then stays", async () => {
    const unknown = await api.call("PATCH", "/api/addons/cloud", { requiresFlavor: "cobol" });
    expect(unknown.status).toBe(422);
    expect(unknown.body["errors"]).toMatchObject([{ path: "requiresFlavor", code: "flavor_not_found" }]);
    expect((await api.call("PATCH", "/api/addons/cloud", { requiresFlavor: "go" })).status).toBe(200);
    expect((await api.call("DELETE", "/api/flavors/go")).status).toBe(409);
    const { status, body } = await api.call("POST", "/api/images/resolve", { flavorId: "js", addonIds: ["cloud"] });
    expect(status).toBe(422);
    expect(body["errors"]).toMatchObject([{ code: "addon_requires_flavor" }]);
  });
});

import { ContainerAddonRecord, ContainerFlavorRecord, ResourceTierRecord } from "@agentpod/types";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { z } from "zod";
import { createTestApp, type TestApp } from "../support/app.ts";

let api: TestApp;
beforeAll(() => {
  api = createTestApp();
});
afterAll(async () => await api.close());

const lists = [
  {
    path: "/api/resource-tiers",
    list: "tiers",
    one: "tier",
    record: ResourceTierRecord,
    error: "Resource tier not found",
  },
  { path: "/api/flavors", list: "flavors", one: "flavor", record: ContainerFlavorRecord, error: "Flavor not found" },
  { path: "/api/addons", list: "addons", one: "addon", record: ContainerAddonRecord, error: "Addon not found" },
];
type Entry = Record<string, unknown> & { id: string };

const withoutTimes = (entries: Entry[]) =>
  entries.map((entry) =>
    Object.fromEntries(Object.entries(entry).filter(([field]) => !/^(?:created|updated)At$/.test(field))),
  );

describe("the catalog", () => {
  test("has the planned tiers in their order", async () => {
    const { body } = await api.call("GET", "/api/resource-tiers");
    const tier = (id: string, name: string, description: string, numbers: number[], isDefault: boolean) => {
      const [cpuCores, memoryGb, storageGb, priceMonthly, sortOrder] = numbers;
      return { id, name, description, cpuCores, memoryGb, storageGb, priceMonthly, isDefault, sortOrder };
    };
    expect(withoutTimes(body["tiers"])).toEqual([
      tier("starter", "Starter", "Perfect for learning and small projects", [1, 2, 20, 0, 1], true),
      tier("builder", "Builder", "For active development and medium projects", [2, 4, 30, 10, 2], false),
      tier("creator", "Creator", "For professional development and larger projects", [4, 8, 50, 25, 3], false),
      tier("power", "Power", "Maximum resources for demanding workloads", [8, 16, 100, 50, 4], false),
    ]);
  });

  test("has the planned flavors in their order", async () => {
    const { body } = await api.call("GET", "/api/flavors");
    const all = ["javascript", "typescript", "python", "go", "rust"];
    const flavor = (
      id: string,
      name: string,
      description: string,
      languages: string[],
      imageSizeMb: number,
      sortOrder: number,
    ) => {
      return { id, name, description, languages, imageSizeMb, isDefault: id === "fullstack", sortOrder };
    };
    expect(withoutTimes(body["flavors"])).toEqual([
      flavor("js", "JavaScript", "JavaScript and TypeScript development", all.slice(0, 2), 800, 1),
      flavor("python", "Python", "Python development with data science tools", ["python"], 900, 2),
      flavor("go", "Go", "Go development environment", ["go"], 700, 3),
      flavor("rust", "Rust", "Rust development environment", ["rust"], 1200, 4),
      flavor("fullstack", "Fullstack", "JavaScript + Python for full-stack development", all.slice(0, 3), 1100, 5),
      flavor("polyglot", "Polyglot", "All languages for maximum flexibility", all, 2000, 6),
    ]);
  });

  test("has the planned addons in their order", async () => {
    const { body } = await api.call("GET", "/api/addons");
    const addon = (
      id: string,
      name: string,
      description: string,
      category: string,
      port: number | null,
      numbers: number[],
    ) => {
      const [imageSizeMb, priceMonthly, sortOrder] = numbers;
      const requires = { requiresGpu: id === "gpu", requiresFlavor: null };
      return { id, name, description, category, imageSizeMb, port, ...requires, priceMonthly, sortOrder };
    };
    expect(withoutTimes(body["addons"])).toEqual([
      addon("gui", "Desktop GUI", "Full desktop environment via KasmVNC", "interface", 6080, [800, 5, 1]),
      addon("code-server", "VS Code", "VS Code in browser via code-server", "interface", 8080, [200, 0, 2]),
      addon("databases", "Databases", "PostgreSQL, Redis, and SQLite", "storage", null, [500, 5, 3]),
      addon("cloud", "Cloud Tools", "AWS CLI, gcloud, Terraform, kubectl", "devops", null, [400, 0, 4]),
      addon("gpu", "GPU Support", "NVIDIA CUDA toolkit for ML/AI workloads", "compute", null, [2000, 20, 5]),
    ]);
  });

  test.each([
    ["interface", ["gui", "code-server"]],
    ["storage", ["databases"]],
    ["devops", ["cloud"]],
    ["compute", ["gpu"]],
  ])("lists the addons of category %s", async (category, ids) => {
    const { status, body } = await api.call("GET", `/api/addons?category=${category}`);
    expect(status).toBe(200);
    expect((body["addons"] as Entry[]).map(({ id }) => id)).toEqual(ids);
  });

  test.each(["category=nope", "category=", "category=storage&category=devops", "category=Storage"])(
    "refuses ?%s and names the four categories",
    async (query) => {
      const { status, body } = await api.call("GET", `/api/addons?${query}`);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: "invalid_request", errors: [{ path: "category" }] });
      if (!query.includes("&")) expect(body["errors"][0].fix).toBe("Use one of: interface, compute, storage, devops");
    },
  );

  test("refuses a parameter that it does not know", async () => {
    const { status, body } = await api.call("GET", "/api/addons?categroy=storage");
    expect(status).toBe(400);
    expect(body["errors"]).toMatchObject([{ code: "unknown_field", fix: "Did you mean 'category'?" }]);
  });
});

describe.each(lists)("$path", ({ path, list, one, record, error }) => {
  const strict = z.strictObject(record.shape);

  test("answers entries with exactly the documented fields", async () => {
    const { body } = await api.call("GET", path);
    expect(Object.keys(body ?? {})).toEqual([list]);
    z.array(strict).parse(body[list]);
  });

  test("answers each entry by its id, as in the list", async () => {
    const { body: all } = await api.call("GET", path);
    for (const entry of all[list] as Entry[]) {
      const { status, body } = await api.call("GET", `${path}/${entry.id}`);
      expect(status).toBe(200);
      expect(body).toEqual({ [one]: entry });
    }
  });

  test.each([
    "nope",
    "JS",
    "%20",
    "%2e%2e%2f",
    "%00",
    "%ff",
    "%",
    "a%zz",
    "__proto__",
    "constructor",
    "'%20OR%201=1--",
    "x".repeat(5000),
  ])("answers 404 with the planned text for the id %.20s", async (id) => {
    const { status, headers, body } = await api.call("GET", `${path}/${id}`);
    expect(status).toBe(404);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(body).toMatchObject({ error, title: error, status: 404, code: expect.stringMatching(/_not_found$/) });
    expect(JSON.stringify(body).length).toBeLessThan(1000);
  });

  test("answers 304 to who has it already", async () => {
    const { body } = await api.call("GET", path);
    for (const url of [path, `${path}/${(body[list] as Entry[])[0]?.id}`]) {
      const first = await api.call("GET", url);
      const etag = first.headers.get("etag") ?? "";
      expect(etag).toMatch(/^"\w+"$/);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const again = await api.call("GET", url, undefined, { "if-none-match": known });
        expect(again.status).toBe(304);
        expect(again.body).toBeUndefined();
        expect(again.headers.get("etag")).toBe(etag);
      }
      expect((await api.call("GET", url, undefined, { "if-none-match": '"other"' })).status).toBe(200);
    }
  });
});

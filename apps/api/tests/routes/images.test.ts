import { afterEach, describe, expect, test } from "bun:test";
import type { ImageInspector } from "../../src/services/image-availability.ts";
import { createTestApp, type TestApp, type TestAppOptions } from "../support/app.ts";

let api: TestApp;
afterEach(async () => await api.close());
const start = (options?: TestAppOptions) => {
  api = createTestApp(options);
};

const digest = `sha256:${"0".repeat(64)}`;
const inspector: ImageInspector = {
  inspect: async (images) =>
    new Map(
      images.map(({ imageRef, addonIds }) => [
        imageRef,
        addonIds.length === 0
          ? { state: "available", digest, compressedBytes: 1000 }
          : { state: "buildable", digest: null, compressedBytes: null },
      ]),
    ),
};

describe("resolving over HTTP", () => {
  test("answers the whole resolution, its URLs and whether the image can be had", async () => {
    start({ wildcardDomain: "pods.example.com", inspector });
    const request = { resourceTierId: "builder", flavorId: "js", addonIds: ["gui", "code-server"], slug: "demo" };
    const { status, body } = await api.call("POST", "/api/images/resolve", request);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      imageName: "agentpod-js-code-server-gui",
      imageTag: "1.2.3",
      imageRef: "registry.test/acme/agentpod-js-code-server-gui:1.2.3",
      flavor: { id: "js" },
      addons: [{ id: "code-server" }, { id: "gui" }],
      resourceTier: { id: "builder" },
      resourceLimits: { limits_memory: "4096m", limits_cpus: "2" },
      containerLimits: { memoryBytes: 4 * 2 ** 30, nanoCpus: 2e9, storageBytes: 30 * 2 ** 30 },
      exposedPorts: [4096, 4097, 6080, 8080],
      portsExposes: "4096,4097,6080,8080",
      requiresGpu: false,
      warnings: [],
      urls: { opencode: "https://demo.pods.example.com", vnc: "https://vnc-demo.pods.example.com" },
      image: { state: "buildable", digest: null, compressedBytes: null },
    });
  });

  test("knows an image that is there by its digest and size", async () => {
    start({ inspector });
    const { body } = await api.call("POST", "/api/images/resolve", { flavorId: "js" });
    expect(body["image"]).toEqual({ state: "available", digest, compressedBytes: 1000 });
  });

  test("says unknown where nobody can be asked, and gives no URLs without a domain", async () => {
    start();
    const { body } = await api.call("POST", "/api/images/resolve", {});
    expect(body["image"]).toEqual({ state: "unknown", digest: null, compressedBytes: null });
    expect(body["urls"]).toEqual({
      opencode: null,
      acpGateway: null,
      codeServer: null,
      vnc: null,
      domainsConfig: "",
    });
  });

  test.each([
    ["flavorId=js&addonIds=gui,code-server", "agentpod-js-code-server-gui"],
    ["flavorId=js&addonIds=gui&addonIds=code-server", "agentpod-js-code-server-gui"],
    ["addonIds=gui,cloud&addonIds=databases", "agentpod-fullstack-cloud-databases-gui"],
    ["addonIds=", "agentpod-fullstack"],
    ["addonIds=,gui,", "agentpod-fullstack-gui"],
    ["", "agentpod-fullstack"],
  ])("answers the same to the query %j", async (query, imageName) => {
    start();
    const byQuery = await api.call("GET", `/api/images/resolve?${query}`);
    expect(byQuery.status).toBe(200);
    expect(byQuery.body["imageName"]).toBe(imageName);
    const parameters = new URLSearchParams(query);
    const flavorId = parameters.get("flavorId");
    const addonIds = parameters.getAll("addonIds").flatMap((ids) => ids.split(",").filter(Boolean));
    const request = { ...(flavorId === null ? {} : { flavorId }), addonIds };
    expect((await api.call("POST", "/api/images/resolve", request)).body).toEqual(byQuery.body);
  });

  test("lists all violations at once, in both forms", async () => {
    start();
    const request = { resourceTierId: "bilder", flavorId: "pyton", addonIds: ["gpu", "disco"] };
    const posted = await api.call("POST", "/api/images/resolve", request);
    const got = await api.call("GET", "/api/images/resolve?resourceTierId=bilder&flavorId=pyton&addonIds=gpu,disco");
    for (const { status, body } of [posted, got]) {
      expect(status).toBe(422);
      expect(body).toMatchObject({ code: "invalid_configuration" });
      expect(body["errors"].map(({ code }: { code: string }) => code)).toEqual([
        "resource_tier_not_found",
        "flavor_not_found",
        "addon_not_found",
        "gpu_unavailable",
      ]);
      for (const { fix } of body["errors"]) expect(fix).toBeString();
    }
  });

  test("refuses fields and parameters that it does not know", async () => {
    start();
    expect((await api.call("POST", "/api/images/resolve", { flavor: "js" })).status).toBe(422);
    expect((await api.call("GET", "/api/images/resolve?flavor=js")).status).toBe(400);
    expect((await api.call("GET", "/api/images/resolve?slug=No")).status).toBe(400);
  });

  test("warns of what this machine will not give", async () => {
    start({ capabilities: { cpusMax: 2, limits: true } });
    const { body } = await api.call("POST", "/api/images/resolve", {
      resourceTierId: "power",
      addonIds: ["gui", "gui"],
    });
    expect(body["warnings"]).toHaveLength(2);
  });
});

describe("validating over HTTP", () => {
  test("answers 200 with errors, codes and fixes for what cannot be", async () => {
    start();
    const { status, body } = await api.call("POST", "/api/images/validate", {
      flavorId: "invalid",
      addonIds: ["gui", "gui"],
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      valid: false,
      errors: ["Flavor 'invalid' not found"],
      warnings: ["Addon 'gui' was asked for more than once"],
      violations: [
        {
          path: "flavorId",
          code: "flavor_not_found",
          message: "Flavor 'invalid' not found",
          fix: "Known ids: js, python, go, rust, fullstack, polyglot",
        },
      ],
    });
  });

  test("answers valid for what can be had", async () => {
    start();
    const { body } = await api.call("POST", "/api/images/validate", { addonIds: ["databases"] });
    expect(body).toEqual({ valid: true, errors: [], warnings: [], violations: [] });
  });
});

describe("the matrix", () => {
  interface Row {
    flavorId: string;
    addonIds: string[];
    valid: boolean;
    imageRef: string | null;
    violations: { code: string }[];
    image: { state: string } | null;
  }
  const rowsOf = async () => (await api.call("GET", "/api/images/matrix")).body as { rows: Row[]; truncated: boolean };

  test("has every flavor with every set of addons, and an image of its own for each", async () => {
    start({ inspector, capabilities: { gpu: true } });
    const { rows, truncated } = await rowsOf();
    expect(rows).toHaveLength(6 * 2 ** 5);
    expect(truncated).toBe(false);
    expect(new Set(rows.map(({ imageRef }) => imageRef)).size).toBe(192);
    expect(rows.every(({ valid }) => valid)).toBe(true);
    expect(rows.filter(({ image }) => image?.state === "available").map(({ flavorId }) => flavorId)).toEqual([
      "js",
      "python",
      "go",
      "rust",
      "fullstack",
      "polyglot",
    ]);
  });

  test("says why a combination cannot be had", async () => {
    start({ inspector });
    const { rows } = await rowsOf();
    for (const { addonIds, valid, imageRef, violations, image } of rows) {
      const needsGpu = addonIds.includes("gpu");
      expect(valid).toBe(!needsGpu);
      expect(imageRef === null).toBe(needsGpu);
      expect(image === null).toBe(needsGpu);
      expect(violations.map(({ code }) => code)).toEqual(needsGpu ? ["gpu_unavailable"] : []);
    }
  });

  test("stays bounded when the catalog grows, and says so", async () => {
    start();
    for (let index = 0; index < 20; index += 1) {
      await api.call("POST", "/api/addons", { id: `extra-${index}`, name: "Extra", category: "devops" });
    }
    const { rows, truncated } = await rowsOf();
    expect(truncated).toBe(true);
    expect(rows.length).toBeLessThanOrEqual(4096);
  });
});

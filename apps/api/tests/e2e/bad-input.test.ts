import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { call, newDataDir, removeDataDir, startApi, type ApiProcess } from "../support/api-process.ts";

let api: ApiProcess;
const dataDir = newDataDir();

beforeAll(async () => {
  api = await startApi({ dataDir, env: { RUNTIME: "process", CONTAINER_TIERS_SUNSET: "2099-01-01" } });
});
afterAll(async () => {
  await api.end("SIGTERM");
  removeDataDir(dataDir);
});

const post = async (body: unknown) => await call(api.url, "POST", "/api/projects", body);

async function nothingWasMade(): Promise<void> {
  const { body } = await call(api.url, "GET", "/api/projects");
  expect(body.projects).toEqual([]);
  const folder = join(dataDir, "projects");
  expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
}

describe("a create that cannot be", () => {
  test("without a body says that one is required", async () => {
    const { status, body } = await post(undefined);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: "invalid_request", errors: [{ code: "required" }] });
    await nothingWasMade();
  });

  test("with wrong types names every field and what it takes", async () => {
    const { status, body } = await post({
      name: 7,
      description: [],
      sourceUrl: false,
      flavorId: {},
      addonIds: "gui",
      resourceTierId: null,
    });
    expect(status).toBe(422);
    expect(body.code).toBe("validation_failed");
    expect(body.errors.map((error) => error.path).toSorted()).toEqual([
      "addonIds",
      "description",
      "flavorId",
      "name",
      "resourceTierId",
      "sourceUrl",
    ]);
    await nothingWasMade();
  });

  test("with three unknown ids reports all three, each with a fix", async () => {
    const { status, body } = await post({
      name: "x",
      resourceTierId: "bilder",
      flavorId: "pyton",
      addonIds: ["code-server", "databses"],
    });
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([
      { path: "resourceTierId", code: "resource_tier_not_found", message: "Resource tier 'bilder' not found" },
      { path: "flavorId", code: "flavor_not_found", message: "Flavor 'pyton' not found" },
      { path: "addonIds.1", code: "addon_not_found", message: "Addon 'databses' not found" },
    ]);
    const fixes = body.errors.map((error) => error.fix);
    for (const [index, id] of ["builder", "python", "databases"].entries()) expect(fixes[index]).toContain(id);
    await nothingWasMade();
  });

  test("with a wrong name and an unknown flavor reports both", async () => {
    const { status, body } = await post({ name: "", flavorId: "pyton" });
    expect(status).toBe(422);
    expect(body.errors.map((error) => error.code).toSorted()).toEqual(["flavor_not_found", "too_short"]);
    await nothingWasMade();
  });

  test("with a name of 10,000 characters is refused", async () => {
    const { status, body } = await post({ name: "n".repeat(10_000) });
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ path: "name", code: "too_long" }] });
    await nothingWasMade();
  });

  test("with an invisible name is refused", async () => {
    for (const name of ["   ", "\u200b\u200d", "a\u0000b"]) expect((await post({ name })).status).toBe(422);
    await nothingWasMade();
  });

  test("with a misspelt field points to the right one", async () => {
    const { body } = await post({ name: "x", flavourId: "js" });
    expect(body).toMatchObject({ errors: [{ code: "unknown_field", fix: "Did you mean 'flavorId'?" }] });
    await nothingWasMade();
  });

  test.each([
    ["file:///etc/passwd", "source_url_scheme"],
    ["https://user:hunter2@git.example.com/a.git", "source_url_credentials"],
    ["http://169.254.169.254/latest", "source_url_address"],
    ["http://127.0.0.1/a.git", "source_url_address"],
    ["http://localhost:3001/a.git", "source_url_address"],
    ["http://[::1]/a.git", "source_url_address"],
    ["http://[::ffff:127.0.0.1]/a.git", "source_url_address"],
    ["http://2130706433/a.git", "source_url_address"],
    ["ext::sh -c touch% /x", "source_url_invalid"],
    ["--upload-pack=x", "source_url_invalid"],
  ] as const)("with the source %s is refused as %s", async (sourceUrl, code) => {
    const { status, body } = await post({ name: "x", sourceUrl });
    expect(status).toBe(422);
    expect(body.errors.map((error) => error.code)).toContain(code);
    expect(JSON.stringify(body)).not.toContain("hunter2");
    await nothingWasMade();
  });

  test("needing a GPU where there is none says so", async () => {
    const { status, body } = await post({ name: "x", addonIds: ["gpu"] });
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "invalid_configuration", errors: [{ code: "gpu_unavailable" }] });
    await nothingWasMade();
  });
});

describe("an unusual create that can be", () => {
  const made: string[] = [];
  const create = async (body: unknown) => {
    const answer = await post(body);
    expect(answer.status).toBe(201);
    made.push(answer.body.project.id);
    return answer.body;
  };
  afterAll(async () => {
    for (const id of made) await call(api.url, "DELETE", `/api/projects/${id}`, undefined, { prefer: "wait=30" });
  });

  test("an emoji-only name gets a slug of its own", async () => {
    const body = await create({ name: "🚀🚀" });
    expect(body.project.slug).toMatch(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/);
  });

  test("the same name twice makes two projects with different slugs, and says so", async () => {
    const first = await create({ name: "Twice" });
    const second = await create({ name: "Twice" });
    expect(first.project.slug).toBe("twice");
    expect(second.project.slug).toBe("twice-2");
    expect(second.warnings.map((warning) => warning.code)).toContain("slug_changed");
  });

  test("a legacy tier stands for a tier, a flavor and addons", async () => {
    const body = await create({ name: "Old", containerTierId: "standard" });
    expect(body).toMatchObject({
      project: {
        containerTierId: "standard",
        resourceTierId: "builder",
        flavorId: "fullstack",
        addonIds: ["code-server"],
      },
    });
    expect(body.warnings.map((warning) => warning.code)).toContain("legacy_field");
  });

  test("of both the new fields win over the legacy one, with a warning", async () => {
    const body = await create({ name: "Both", containerTierId: "pro", flavorId: "js" });
    expect(body).toMatchObject({ project: { resourceTierId: "creator", flavorId: "js" } });
    expect(body.warnings.map((warning) => warning.code)).toContain("legacy_field_overridden");
  });
});

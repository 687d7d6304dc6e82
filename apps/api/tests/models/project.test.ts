import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { Project as ProjectSchema } from "@agentpod/types";
import { openDatabase } from "../../src/db/open.ts";
import { closeDatabase } from "../../src/db/prepared.ts";
import {
  allocatePorts,
  appendEvent,
  deleteProject,
  getProjectById,
  getProjectBySlug,
  insertOperation,
  insertProject,
  listEvents,
  listPorts,
  latestOperation,
  type NewProject,
  type Project,
  toProject,
  updateProject,
} from "../../src/models/index.ts";
import { makeOldDatabase } from "../support/old-database.ts";
import { tempFolders } from "../support/temp-folder.ts";

const newFolder = tempFolders();
const newDatabase = () => openDatabase(":memory:", { migrate: true });
const input: NewProject = {
  name: "Web",
  slug: "web",
  resourceTierId: "starter",
  flavorId: "js",
  addonIds: ["code-server"],
};

function inserted(db: ReturnType<typeof newDatabase>, change: Partial<NewProject> = {}) {
  const result = insertProject(db, { ...input, ...change });
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

describe("insertProject", () => {
  test("gives the whole record with its defaults", () => {
    const db = newDatabase();
    const record = inserted(db);
    expect(record).toMatchObject({
      ...input,
      status: "creating",
      desiredState: "running",
      generation: 0,
      statusReason: null,
      runtime: null,
      ports: [],
      gatewayToken: null,
      coolifyAppUuid: null,
    });
    expect(getProjectById(db, record.id)).toEqual(record);
    expect(getProjectBySlug(db, "web")).toEqual(record);
  });

  test("takes every field it is given", () => {
    const db = newDatabase();
    const given = {
      id: "p1",
      description: "Über",
      sourceUrl: "https://example.com/a.git",
      status: "error",
      statusReason: { code: "not_healthy", message: "It did not answer." },
      runtime: "docker",
      desiredState: "stopped",
      generation: 7,
      containerTierId: "pro",
      imageRef: "localhost/agentpod/agentpod-js:1",
      gatewayToken: "v1.sealed",
      coolifyAppUuid: "app",
      fqdnUrl: "http://127.0.0.1:1",
      gatewayUrl: "http://127.0.0.1:2",
      codeServerUrl: "http://127.0.0.1:3",
      vncUrl: "http://127.0.0.1:4",
      createdAt: "2026-02-03T04:05:06.007Z",
    } as const;
    expect(inserted(db, given)).toMatchObject({ ...given, updatedAt: given.createdAt });
  });

  test("refuses a taken slug and writes nothing", () => {
    const db = newDatabase();
    inserted(db);
    expect(insertProject(db, { ...input, id: "other" })).toEqual({ ok: false, reason: "slug_taken" });
    expect(getProjectById(db, "other")).toBeUndefined();
  });

  test("throws on a taken id rather than call it a slug", () => {
    const db = newDatabase();
    inserted(db, { id: "p1" });
    expect(() => insertProject(db, { ...input, id: "p1", slug: "other" })).toThrow("projects.id");
  });
});

describe("a project's record", () => {
  test("has its ports, by the port inside", () => {
    const db = newDatabase();
    const { id } = inserted(db);
    allocatePorts(db, id, [
      { name: "code-server", port: 20_001, containerPort: 8080 },
      { name: "opencode", port: 20_009, containerPort: 4096 },
    ]);
    expect(getProjectById(db, id)?.ports).toEqual([
      { name: "opencode", containerPort: 4096, hostPort: 20_009 },
      { name: "code-server", containerPort: 8080, hostPort: 20_001 },
    ]);
  });

  test("toProject shows the contract's fields and nothing else", () => {
    const record = inserted(newDatabase(), { gatewayToken: "v1.sealed", coolifyAppUuid: "app" });
    const project: Project = toProject(record);
    expect(z.strictObject(ProjectSchema.shape).parse(project)).toEqual(project);
    expect(JSON.stringify(project)).not.toContain("sealed");
  });

  test("of an older version has a status of today and a time that is ISO 8601", () => {
    const path = `${newFolder()}/agentpod.db`;
    makeOldDatabase(path);
    const db = openDatabase(path, { migrate: true });
    expect(getProjectById(db, "p-lite")).toMatchObject({
      status: "running",
      statusReason: null,
      desiredState: "running",
      runtime: null,
      createdAt: "2026-01-01T10:00:00.000Z",
    });
    expect(getProjectById(db, "p-standard")).toMatchObject({ status: "stopped", desiredState: "stopped" });
    db.run(
      "UPDATE projects SET status = 'on fire', addon_ids = NULL, flavor_id = NULL, resource_tier_id = NULL WHERE id = 'p-pro'",
    );
    expect(getProjectById(db, "p-pro")).toMatchObject({
      status: "error",
      statusReason: { code: "legacy_status", message: 'An older version left the project in the status "on fire".' },
      resourceTierId: "starter",
      flavorId: "fullstack",
      addonIds: [],
    });
    expect(updateProject(db, "p-pro", { status: "running" })).toMatchObject({ status: "running", statusReason: null });
    closeDatabase(db);
  });
});

describe("updateProject", () => {
  test("changes the given fields, clears with null, and leaves undefined alone", () => {
    const db = newDatabase();
    const { id } = inserted(db, { description: "old", imageRef: "a:1" });
    const changed = updateProject(db, id, {
      status: "error",
      statusReason: { code: "x", message: "y" },
      description: undefined,
      imageRef: null,
      addonIds: ["gui"],
      generation: 2,
    });
    expect(changed).toMatchObject({
      status: "error",
      statusReason: { code: "x", message: "y" },
      description: "old",
      imageRef: null,
      addonIds: ["gui"],
      generation: 2,
      name: "Web",
    });
    expect(updateProject(db, id, { statusReason: null })).toMatchObject({ status: "error", statusReason: null });
  });

  test("moves updatedAt only when something changes", () => {
    const db = newDatabase();
    const { id } = inserted(db, { createdAt: "2026-01-01T00:00:00.000Z" });
    expect(updateProject(db, id, {})?.updatedAt).toBe("2026-01-01T00:00:00.000Z");
    expect(Date.parse(updateProject(db, id, { name: "New" })?.updatedAt ?? "")).toBeGreaterThan(
      Date.parse("2026-01-01T00:00:00.000Z"),
    );
  });

  test("is undefined for a project that is not there", () => {
    expect(updateProject(newDatabase(), "nope", { name: "X" })).toBeUndefined();
  });
});

test("deleteProject takes the ports along and leaves operations and events", () => {
  const db = newDatabase();
  const { id } = inserted(db);
  allocatePorts(db, id, [{ name: "gateway", port: 20_000, containerPort: 4097 }]);
  insertOperation(db, { projectId: id, kind: "delete" });
  appendEvent(db, { projectId: id, type: "deleted" });
  expect(deleteProject(db, id)).toBe(true);
  expect(deleteProject(db, id)).toBe(false);
  expect(getProjectById(db, id)).toBeUndefined();
  expect(listPorts(db, id)).toEqual([]);
  expect(latestOperation(db, id)?.kind).toBe("delete");
  expect(listEvents(db, { projectId: id, after: 0, limit: 10 })).toHaveLength(1);
});

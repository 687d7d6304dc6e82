import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../src/db/open.ts";
import { allocatedPorts, allocatePorts, insertProject, listPorts, releasePorts } from "../../src/models/index.ts";

function newDatabase() {
  const db = openDatabase(":memory:", { migrate: true });
  for (const id of ["a", "b"])
    insertProject(db, { id, name: id, slug: id, resourceTierId: "starter", flavorId: "js", addonIds: [] });
  return db;
}

const gateway = { name: "gateway", port: 20_000, containerPort: 4097 };
const opencode = { name: "opencode", port: 20_001, containerPort: 4096 };

describe("port allocations", () => {
  test("are kept for a project and given back", () => {
    const db = newDatabase();
    expect(allocatePorts(db, "a", [gateway, opencode])).toEqual({ ok: true });
    expect(listPorts(db, "a")).toEqual([
      { ...opencode, projectId: "a" },
      { ...gateway, projectId: "a" },
    ]);
    expect(allocatedPorts(db)).toEqual(new Set([20_000, 20_001]));
    expect(releasePorts(db, "a", ["gateway", "nope"])).toBe(1);
    expect(releasePorts(db, "a")).toBe(1);
    expect(releasePorts(db, "a")).toBe(0);
    expect(allocatedPorts(db).size).toBe(0);
  });

  test("a conflict is named and leaves none of the call's ports", () => {
    const db = newDatabase();
    allocatePorts(db, "a", [gateway]);
    expect(allocatePorts(db, "b", [opencode, gateway])).toEqual({ ok: false, reason: "port_taken", port: 20_000 });
    expect(allocatePorts(db, "b", [opencode, { ...opencode, name: "x" }])).toEqual({
      ok: false,
      reason: "port_taken",
      port: 20_001,
    });
    expect(allocatePorts(db, "a", [opencode, { ...gateway, port: 20_002 }])).toEqual({
      ok: false,
      reason: "name_taken",
      name: "gateway",
    });
    expect(listPorts(db, "b")).toEqual([]);
    expect(allocatedPorts(db)).toEqual(new Set([20_000]));
  });

  test("take part in the caller's transaction", () => {
    const db = newDatabase();
    const roll = db.transaction(() => {
      expect(allocatePorts(db, "a", [gateway])).toEqual({ ok: true });
      throw new Error("no");
    });
    expect(() => roll.immediate()).toThrow("no");
    expect(allocatedPorts(db).size).toBe(0);
  });
});

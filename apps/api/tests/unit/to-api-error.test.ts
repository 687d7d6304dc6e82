import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { RuntimeError } from "../../src/runtimes/runtime.ts";
import { toApiError } from "../../src/services/to-api-error.ts";

/** What SQLite really throws when it runs out of room. */
function fullDatabase(): unknown {
  const db = new Database(":memory:");
  db.run("CREATE TABLE t (x)");
  db.run("PRAGMA max_page_count = 3");
  try {
    for (;;) db.run("INSERT INTO t VALUES (zeroblob(4096))");
  } catch (error) {
    return error;
  } finally {
    db.close();
  }
}

test("a full disk is told as such", () => {
  expect(toApiError(fullDatabase())).toMatchObject({ code: "storage_unavailable" });
  expect(toApiError(Object.assign(new Error("x"), { code: "ENOSPC" }))).toMatchObject({ code: "storage_unavailable" });
});

test("a runtime out of reach is told as such, its other failures and strangers' are not", () => {
  expect(toApiError(new RuntimeError("unavailable", "away"))).toMatchObject({ code: "runtime_unavailable" });
  expect(toApiError(new RuntimeError("rejected", "no"))).toBeUndefined();
  expect(toApiError(new Error("secret"))).toBeUndefined();
});

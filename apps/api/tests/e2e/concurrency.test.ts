import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { call, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { processLeftovers } from "../support/leftovers.ts";
import { until } from "../support/wait.ts";

const total = 200;

describe("200 creates at once on the process runtime", () => {
  test("lose none, double none and lock nothing out", async () => {
    const dataDir = newDataDir();
    const api = await startApi({ dataDir, entry: "apps/api/tests/support/light-api.ts", env: { RUNTIME: "process" } });
    try {
      const answers = await Promise.all(
        Array.from(
          { length: total },
          async (_, index) =>
            await call(api.url, "POST", "/api/projects", { name: `Load ${index % 20}`, addonIds: [] }),
        ),
      );
      expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
      const ids = answers.map(({ body }) => body.project.id);
      expect(new Set(ids).size).toBe(total);
      expect(new Set(answers.map(({ body }) => body.project.slug)).size).toBe(total);
      const ports = answers.flatMap(({ body }) => body.project.ports.map((port) => port.hostPort));
      expect(new Set(ports).size).toBe(total);

      await until(
        "all run",
        async () => {
          const failed = await call(api.url, "GET", "/api/projects?status=error&limit=200");
          if (failed.body.projects.length > 0) throw new Error(JSON.stringify(failed.body.projects[0]));
          const { body } = await call(api.url, "GET", "/api/projects?status=running&limit=200");
          return body.projects.length === total ? true : undefined;
        },
        240_000,
      );
      const db = new Database(join(dataDir, "agentpod.db"), { readonly: true });
      expect(db.query("SELECT count(*) AS n FROM projects").get()).toEqual({ n: total });
      expect(
        db.query("SELECT count(*) AS n FROM operations WHERE kind = 'create' AND status = 'succeeded'").get(),
      ).toEqual({ n: total });
      db.close();
      expect(api.output()).not.toContain("database is locked");

      const removals = await Promise.all(ids.map(async (id) => await call(api.url, "DELETE", `/api/projects/${id}`)));
      expect(removals.filter(({ status }) => status !== 202)).toEqual([]);
      await until(
        "all are gone",
        async () => ((await call(api.url, "GET", "/api/projects")).body.projects.length === 0 ? true : undefined),
        120_000,
      );
      expect(ids.flatMap((id) => processLeftovers(id, dataDir))).toEqual([]);
    } finally {
      await api.end("SIGTERM");
      removeDataDir(dataDir);
    }
  }, 400_000);
});

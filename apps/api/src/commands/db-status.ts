import { existsSync } from "node:fs";
import { migrationStatus } from "../db/migrate.ts";
import { migrations } from "../db/migrations/index.ts";
import { columns } from "./columns.ts";
import type { Command } from "./command.ts";
import { reading } from "./database.ts";

export const dbStatus: Command = {
  name: "db status",
  usage: "[--json]",
  summary: "Which migrations are applied and which are pending.",
  help: [],
  options: { json: { type: "boolean" } },
  positionalsMax: 0,
  run: (context, { values }) => {
    const path = context.config().databasePath;
    const exists = existsSync(path);
    const status = exists
      ? reading(context, (db) => migrationStatus(db))
      : {
          version: 0,
          latest: migrations.length,
          migrations: migrations.map(({ id, name }) => ({ id, name, appliedAt: null })),
        };
    if (values["json"] === true) return context.print(JSON.stringify({ path, exists, ...status }, null, 2));
    const rows = status.migrations.map(({ name, appliedAt }) => [`  ${name}`, appliedAt ?? "pending"]);
    const pending = status.latest - status.version;
    context.print(
      [
        `Database ${path}${exists ? "" : " (not there yet)"}`,
        ...columns(rows),
        pending === 0
          ? "Up to date."
          : `${pending} pending: 'agentpod db migrate' applies them, and so does the next start.`,
      ].join("\n"),
    );
  },
};

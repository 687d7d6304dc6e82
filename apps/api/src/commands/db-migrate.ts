import { migrate, type MigrationReport } from "../db/migrate.ts";
import type { Command } from "./command.ts";
import { changing } from "./database.ts";

export const dbMigrate: Command = {
  name: "db migrate",
  usage: "",
  summary: "Applies pending migrations, after a backup beside the database.",
  help: ["All of them or, when one fails, none. The API has to be stopped; its start does the same."],
  options: {},
  positionalsMax: 0,
  run: (context) => {
    const path = context.config().databasePath;
    const report = changing(path, (db) => migrate(db, { now: context.now }));
    if (report.applied.length === 0) return context.print(`${path} is up to date (migration ${report.to}).`);
    context.print([`Applied ${report.applied.join(", ")}.`, ...backupLine(report)].join("\n"));
  },
};

export const backupLine = ({ backup }: MigrationReport): string[] => (backup === null ? [] : [`Backup: ${backup}`]);

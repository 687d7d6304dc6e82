import { backup, backupBeside } from "../db/backup.ts";
import { appliedMigrations } from "../db/history.ts";
import type { Command } from "./command.ts";
import { reading } from "./database.ts";

export const dbBackup: Command = {
  name: "db backup",
  usage: "[FILE]",
  summary: "Writes a copy of the database to FILE, or beside the database. The API may run.",
  help: ["The copy is whole, private (0600) and overwrites nothing. 'agentpod db restore FILE' puts it back."],
  options: {},
  positionalsMax: 1,
  run: (context, { positionals: [file] }) => {
    const written = reading(context, (db, path) =>
      file === undefined
        ? backupBeside(db, path, { version: appliedMigrations(db).length, now: context.now() })
        : backup(db, file),
    );
    context.print(`Backup: ${written}`);
  },
};

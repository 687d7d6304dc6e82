import { existsSync } from "node:fs";
import { restore } from "../db/restore.ts";
import { type Command, CommandError, UsageError } from "./command.ts";

export const dbRestore: Command = {
  name: "db restore",
  usage: "FILE [--yes]",
  summary: "Puts the backup FILE in the place of the database, and keeps that beside it.",
  help: [
    "The backup is checked first. The API has to be stopped; its next start migrates an older backup.",
    "",
    "  --yes  do not ask",
  ],
  options: { yes: { type: "boolean" } },
  positionalsMax: 1,
  run: (context, { values, positionals: [file] }) => {
    if (file === undefined) throw new UsageError("Name the backup: agentpod db restore FILE.");
    if (!existsSync(file)) throw new CommandError(`There is no file ${file}.`);
    const path = context.config().databasePath;
    if (values["yes"] !== true && existsSync(path)) {
      if (context.confirm === undefined)
        throw new UsageError("Nobody can be asked here: repeat the command with --yes.");
      if (!context.confirm(`Replace ${path} by ${file}?`)) throw new CommandError("Nothing was changed.");
    }
    const { version, replaced } = restore(path, file, { now: context.now });
    const kept = replaced === null ? [] : [`The database that was there: ${replaced}`];
    context.print([`Restored ${path} (migration ${version}).`, ...kept].join("\n"));
  },
};

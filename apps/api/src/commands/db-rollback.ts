import { migrationStatus, rollback } from "../db/migrate.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { changing, existing } from "./database.ts";
import { backupLine } from "./db-migrate.ts";

export const dbRollback: Command = {
  name: "db rollback",
  usage: "[--to N | --steps N]",
  summary: "Reverts the last migration, or those after number N, after a backup.",
  help: [
    "Projects stay, but what only the reverted migrations can hold is left to the backup.",
    "The API has to be stopped. Its next start migrates again: start the older version instead.",
    "",
    "  --to N     the last migration that stays; 0 reverts all, the projects' table too",
    "  --steps N  how many are reverted (1)",
  ],
  options: { to: { type: "string" }, steps: { type: "string" } },
  positionalsMax: 0,
  run: (context, invocation) => {
    const to = wholeNumber(invocation, "to");
    const steps = wholeNumber(invocation, "steps");
    if (to !== undefined && steps !== undefined) throw new UsageError("Give --to or --steps, not both.");
    const report = changing(existing(context), (db) => {
      const { version } = migrationStatus(db);
      return rollback(db, { to: to ?? Math.max(0, version - (steps ?? 1)), now: context.now });
    });
    if (report.reverted.length === 0) return context.print(`Nothing to revert: migration ${report.to} is the last.`);
    context.print([`Reverted ${report.reverted.join(", ")}.`, ...backupLine(report)].join("\n"));
  },
};

function wholeNumber({ values }: Invocation, option: string): number | undefined {
  const text = values[option];
  if (text === undefined) return undefined;
  if (typeof text !== "string" || !/^\d{1,6}$/.test(text)) throw new UsageError(`--${option} needs a whole number.`);
  return Number(text);
}

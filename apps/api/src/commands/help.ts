import type { Command } from "./command.ts";
import { columns } from "./columns.ts";

/** One line a command. */
export function overview(commands: readonly Command[]): string {
  const lines = columns(commands.map((command) => [`  agentpod ${call(command)}`, command.summary]));
  return [
    "Usage:",
    ...lines,
    "",
    "`agentpod COMMAND --help` says more. DATABASE_PATH and DATA_DIR choose the database.",
  ].join("\n");
}

export function commandHelp(command: Command): string {
  return [`Usage: agentpod ${call(command)}`, "", command.summary, ...command.help].join("\n");
}

const call = ({ name, usage }: Command): string => (usage === "" ? name : `${name} ${usage}`);

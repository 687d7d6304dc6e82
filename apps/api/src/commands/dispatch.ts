import { parseArgs } from "node:util";
import { messageOf } from "../db/error.ts";
import { nearest } from "../services/nearest.ts";
import { type Command, type CommandContext, type Invocation, UsageError } from "./command.ts";
import { dbBackup } from "./db-backup.ts";
import { dbMigrate } from "./db-migrate.ts";
import { dbRestore } from "./db-restore.ts";
import { dbRollback } from "./db-rollback.ts";
import { dbStatus } from "./db-status.ts";
import { commandHelp, overview } from "./help.ts";
import { projects } from "./projects.ts";
import { projectsAccess } from "./projects-access.ts";
import { secretsRotate } from "./secrets-rotate.ts";
import { secretsStatus } from "./secrets-status.ts";

const commands: readonly Command[] = [
  dbStatus,
  dbMigrate,
  dbRollback,
  dbBackup,
  dbRestore,
  projects,
  projectsAccess,
  secretsStatus,
  secretsRotate,
];

/** Runs the command that `words` start with. Throws a UsageError when they make no sense. */
export function dispatch(words: readonly string[], context: CommandContext): void {
  const [first, second] = words;
  if (first === "help") return dispatch([...words.slice(1), "--help"], context);
  if (first === undefined || isHelp(first)) return context.print(overview(commands));

  const command = find(`${first} ${second}`) ?? find(first);
  if (command === undefined) {
    const group = commands.filter(({ name }) => name.startsWith(`${first} `));
    if (group.length > 0 && isHelp(second)) return context.print(overview(group));
    throw unknownCommand(first, second, group);
  }
  const rest = words.slice(command.name.split(" ").length);
  if (rest.some(isHelp)) return context.print(commandHelp(command));
  command.run(context, parse(command, rest));
}

const find = (name: string): Command | undefined => commands.find((command) => command.name === name);

const isHelp = (word: string | undefined): boolean => word === "--help" || word === "-h";

function unknownCommand(first: string, second: string | undefined, group: readonly Command[]): UsageError {
  if (group.length > 0 && (second === undefined || second.startsWith("-"))) {
    const names = group.map(({ name }) => name.slice(first.length + 1));
    return new UsageError(`'agentpod ${first}' needs one of: ${names.join(", ")}.`);
  }
  const word = second === undefined || second.startsWith("-") ? first : `${first} ${second}`;
  const names = commands.map(({ name }) => name);
  return new UsageError(`Unknown command '${word}'. ${hint(nearest(word, names) ?? nearest(first, names))}`);
}

function parse({ name, options, positionalsMax }: Command, args: string[]): Invocation {
  const { tokens } = parseArgs({ args, options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind !== "option" || Object.hasOwn(options, token.name)) continue;
    const meant = nearest(token.name, Object.keys(options));
    throw new UsageError(
      `Unknown option '${token.rawName}' of '${name}'. ${hint(meant && `${name} --${meant}`, name)}`,
    );
  }
  let parsed: Invocation;
  try {
    parsed = parseArgs({ args, options, strict: true, allowPositionals: true }) as Invocation;
  } catch (error) {
    throw new UsageError(messageOf(error).split("\n")[0], { cause: error });
  }
  const extra = parsed.positionals[positionalsMax];
  if (extra === undefined) return parsed;
  const subcommand = nearest(
    `${name} ${extra}`,
    commands.map((command) => command.name).filter((other) => other !== name),
  );
  throw new UsageError(`Unknown argument '${extra}' of '${name}'. ${hint(subcommand, name)}`);
}

const hint = (meant: string | undefined, about = ""): string =>
  meant === undefined
    ? `See 'agentpod ${about === "" ? "" : `${about} `}--help'.`
    : `Did you mean 'agentpod ${meant}'?`;

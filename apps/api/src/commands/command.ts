import type { ParseArgsConfig } from "node:util";
import type { Config } from "../config.ts";

/** What a command may use of the outside world. */
export interface CommandContext {
  /** The configuration the API would run with. Throws a ConfigError. */
  config: () => Config;
  /** Writes one line, or several, to stdout. */
  print: (text: string) => void;
  /** Whether a human reads stdout. */
  isTerminal: boolean;
  /** Asks the human at the terminal; undefined when there is none. */
  confirm: ((question: string) => boolean) | undefined;
  now: () => Date;
}

export interface Invocation {
  values: Readonly<Record<string, string | boolean | undefined>>;
  positionals: readonly string[];
}

export interface Command {
  /** Such as `db backup`. */
  name: string;
  /** What follows the name, such as `[FILE]`. */
  usage: string;
  summary: string;
  /** Further help, one item a line. */
  help: readonly string[];
  options: NonNullable<ParseArgsConfig["options"]>;
  positionalsMax: number;
  run: (context: CommandContext, invocation: Invocation) => void;
}

/** The command was understood and cannot be done. The message is one line and says what helps. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** The command was not understood. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

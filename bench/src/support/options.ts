import { parseArgs } from "node:util";

export interface Options {
  /** Print the report as JSON instead of a table. */
  json: boolean;
  /** Exit with 1 when an aim is missed. */
  check: boolean;
  rounds: number;
  /** How long each side is loaded in each round. */
  seconds: number;
}

/** Reads the command line; prints the usage and ends the process when it is wrong. */
export function readOptions(usage: string, defaults: { rounds: number; seconds: number }): Options {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: "boolean", default: false },
        check: { type: "boolean", default: false },
        rounds: { type: "string", default: String(defaults.rounds) },
        seconds: { type: "string", default: String(defaults.seconds) },
      },
    });
    const { json, check } = values;
    return {
      json,
      check,
      rounds: wholeNumber("rounds", values.rounds),
      seconds: wholeNumber("seconds", values.seconds),
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
    process.exit(2);
  }
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} must be a whole number above 0, not ${text}`);
}

import { statSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Environment } from "../types.ts";

const TEXT_LENGTH_MAX = 256;

export type SettingReader = ReturnType<typeof createSettingReader>;

/** Reads variables one by one. What is wrong with one is put among `problems`, and its default returned. */
export function createSettingReader(env: Environment) {
  const problems: string[] = [];

  /** The variable, or undefined where it is unset or empty. */
  const text = (name: string): string | undefined => env[name] || undefined;

  function whole(name: string, fallback: number, { min = 0, max }: { min?: number; max: number }): number {
    const given = text(name);
    if (given === undefined) return fallback;
    const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
    if (value >= min && value <= max) return value;
    problems.push(`${name} is ${JSON.stringify(given)}; use a number from ${min} to ${max}`);
    return fallback;
  }

  return {
    problems,
    text,
    whole,

    label(name: string): string | null {
      const given = text(name);
      if (given === undefined) return null;
      if (given.length > TEXT_LENGTH_MAX || /\p{Cc}/u.test(given)) {
        problems.push(`${name} is too long or holds control characters; use at most ${TEXT_LENGTH_MAX} printable ones`);
      }
      return given;
    },

    flag(name: string): boolean {
      const given = text(name);
      if (given !== undefined && given !== "0" && given !== "1") {
        problems.push(`${name} is ${JSON.stringify(given)}; use 1 for yes or 0 for no`);
      }
      return given === "1";
    },

    oneOf<const Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice {
      const given = text(name);
      const found = choices.find((choice) => choice === given);
      if (given !== undefined && found === undefined) {
        problems.push(`${name} is ${JSON.stringify(given)}; use ${choices.join(" or ")}`);
      }
      return found ?? choices[0];
    },

    /** Parts between commas and spaces, each of which must match. */
    list(name: string, pattern: RegExp, wanted: string): string[] {
      const parts = (text(name) ?? "").split(/[\s,]+/).filter(Boolean);
      for (const part of parts) {
        if (!pattern.test(part)) problems.push(`${name} holds ${JSON.stringify(part)}; use ${wanted}`);
      }
      return parts;
    },

    folder(name: string, fallback: string): string {
      return checkedFolder(name, text(name) ?? fallback, problems);
    },

    /** Existing folders, separated by colons as in PATH. */
    folders(name: string): string[] {
      const paths = (text(name) ?? "").split(":").filter(Boolean);
      return paths.map((path) => checkedFolder(name, path, problems));
    },

    absolutePath(name: string, fallback: string): string {
      const path = text(name) ?? fallback;
      if (!isAbsolute(path) || path.includes("\0")) {
        problems.push(`${name} is ${JSON.stringify(path)}; use an absolute path`);
      }
      return path;
    },
  };
}

function checkedFolder(name: string, path: string, problems: string[]): string {
  if (!isAbsolute(path)) {
    problems.push(`${name} is ${JSON.stringify(path)}; use an absolute path`);
  } else if (!isFolder(path)) {
    problems.push(`${name} ${JSON.stringify(path)} is not an existing folder; create it first`);
  }
  return path;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

import { readFileSync, statSync } from "node:fs";
import { whyReserved } from "./runtimes/reserved-variables.ts";

const BYTES_MAX = 64 * 1024;
/** A wrong file, such as a program, has a problem in every line. */
const PROBLEMS_MAX = 20;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

export interface SandboxEnvFile {
  /** Values may be secret. */
  variables: Record<string, string>;
  /** All that is wrong, by line and name; no values. */
  problems: string[];
}

/** Reads the variables that sandboxes get. A file that cannot be read is a problem, too. */
export function readSandboxEnvFile(path: string): SandboxEnvFile {
  const failed = (problem: string): SandboxEnvFile => ({ variables: {}, problems: [problem] });
  const tooLong = `names a file of more than ${BYTES_MAX / 1024} KiB`;
  try {
    const about = statSync(path);
    // A pipe would be waited for, and a device has no end.
    if (!about.isFile()) return failed("names something that is no file");
    if (about.size > BYTES_MAX) return failed(tooLong);
    const bytes = readFileSync(path);
    if (bytes.length > BYTES_MAX) return failed(tooLong);
    return parseSandboxEnv(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof TypeError) return failed("names a file that is not text in UTF-8");
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return failed(`names a file that cannot be read (${reason})`);
  }
}

/**
 * Lines `NAME=value`; blank ones and those that begin with `#` count for nothing. A value stands as it is, without the
 * blanks around it; in single or double quotes, which are taken off, with them. Nothing is escaped or filled in.
 */
export function parseSandboxEnv(text: string): SandboxEnvFile {
  const found = new Map<string, { value: string; line: number }>();
  const problems: string[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const number = index + 1;
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const parsed = parseLine(line);
    if ("problem" in parsed) {
      problems.push(`line ${number}: ${parsed.problem}`);
      continue;
    }
    const { name, value } = parsed;
    const before = found.get(name);
    const problem =
      whyReserved(name) ?? (before ? `is in line ${before.line} already; keep one of them` : valueProblem(value));
    if (problem === null) found.set(name, { value, line: number });
    else problems.push(`line ${number}: ${name} ${problem}`);
  }
  const variables = Object.fromEntries(Array.from(found, ([name, { value }]) => [name, value]));
  if (problems.length <= PROBLEMS_MAX) return { variables, problems };
  const more = `and ${problems.length - PROBLEMS_MAX} more lines; is it the right file?`;
  return { variables, problems: [...problems.slice(0, PROBLEMS_MAX), more] };
}

/** Of what stands before `=`, only a name is ever told: anything else may be a part of a secret. */
function parseLine(line: string): { name: string; value: string } | { problem: string } {
  const at = line.indexOf("=");
  const name = line.slice(0, at).trimEnd();
  if (at < 0 || !NAME.test(name)) {
    const rules = "letters, digits and underscores, no digit first, at most 128";
    return { problem: `must be NAME=value, in one line, with a name of ${rules}` };
  }
  const rest = line.slice(at + 1).trim();
  const quote = /^['"]/.exec(rest)?.[0];
  if (quote === undefined) {
    if (/(^|\s)#/.test(rest))
      return { problem: `${name} has a # after a blank: put the value in quotes, or the comment above` };
    return { name, value: rest };
  }
  const end = rest.indexOf(quote, 1);
  if (end < 0) return { problem: `${name} has no closing quote in its line` };
  if (!/^(\s+#.*)?$/.test(rest.slice(end + 1))) return { problem: `${name} goes on after its closing quote` };
  return { name, value: rest.slice(1, end) };
}

function valueProblem(value: string): string | null {
  return /\p{Cc}/u.test(value) ? "holds a control character, such as NUL or a carriage return" : null;
}

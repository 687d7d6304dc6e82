import type { Violation, ViolationCode } from "@agentpod/types";
import type { z } from "zod";
import { nearest } from "../services/nearest.ts";

type Issue = z.core.$ZodIssue;

const VIOLATIONS_MAX = 50;
const SHOWN_LENGTH_MAX = 60;

/**
 * What zod found, in the API's closed codes, at most 50.
 * `input` is what was parsed; `fields` are the names its root object may have.
 */
export function toViolations(issues: readonly Issue[], input: unknown, fields: readonly string[]): Violation[] {
  const found: Violation[] = [];
  for (const issue of issues) {
    for (const violation of translate(issue, input, fields)) {
      if (found.length === VIOLATIONS_MAX) return found;
      found.push(violation);
    }
  }
  return found;
}

function translate(issue: Issue, input: unknown, fields: readonly string[]): Violation[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, VIOLATIONS_MAX).map((key) => unknownField(issue.path, key, fields));
  }
  const path = dotted(issue.path);
  const subject = path === "" ? "The value" : `'${path}'`;
  if (issue.code === "invalid_type") return [wrongType(issue, path, subject, at(input, issue.path))];
  return [{ path, ...finding(issue, subject) }];
}

function finding(issue: Issue, subject: string): { code: ViolationCode; message: string; fix?: string } {
  switch (issue.code) {
    case "too_small": {
      const least = `${issue.minimum}${unit(issue.origin, Number(issue.minimum))}`;
      const code = isCounted(issue.origin) ? "too_short" : "too_small";
      return { code, message: `${subject} needs at least ${least}`, fix: `Use at least ${least}` };
    }
    case "too_big": {
      const most = `${issue.maximum}${unit(issue.origin, Number(issue.maximum))}`;
      const code = isCounted(issue.origin) ? "too_long" : "too_big";
      return { code, message: `${subject} is over its limit of ${most}`, fix: `Use at most ${most}` };
    }
    case "invalid_value": {
      const known = issue.values.map(String).join(", ");
      return {
        code: "invalid_value",
        message: `${subject} is not one of the known values`,
        fix: `Use one of: ${known}`,
      };
    }
    case "invalid_format":
      return { code: "invalid_format", message: `${subject} has the wrong form: ${issue.message}` };
    default:
      return { code: "invalid_value", message: `${subject} is not acceptable: ${issue.message}` };
  }
}

function wrongType(
  issue: Extract<Issue, { code: "invalid_type" }>,
  path: string,
  subject: string,
  value: unknown,
): Violation {
  const wanted = withArticle(issue.expected === "int" ? "integer" : issue.expected);
  const fix = `Send ${wanted}`;
  if (value === undefined) return { path, code: "required", message: `${subject} is required`, fix };
  const message = `${subject} must be ${wanted}, not ${withArticle(typeName(value))}`;
  return { path, code: "invalid_type", message, fix };
}

function unknownField(parent: readonly PropertyKey[], key: string, fields: readonly string[]): Violation {
  const shown = key.slice(0, SHOWN_LENGTH_MAX);
  const near = nearest(key, fields);
  return {
    path: dotted([...parent, shown]),
    code: "unknown_field",
    message: `Unknown field '${shown}'`,
    fix: near === undefined ? `Remove it; known fields are: ${fields.join(", ")}` : `Did you mean '${near}'?`,
  };
}

function isCounted(origin: string): boolean {
  return origin === "string" || origin === "array" || origin === "set";
}

function unit(origin: string, count: number): string {
  const plural = count === 1 ? "" : "s";
  if (origin === "string") return ` character${plural}`;
  return isCounted(origin) ? ` item${plural}` : "";
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join(".");
}

function at(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number" && !Number.isInteger(value)) return "number with a fraction";
  return typeof value;
}

function withArticle(noun: string): string {
  if (noun === "null") return noun;
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

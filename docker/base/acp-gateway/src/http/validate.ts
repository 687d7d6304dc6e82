import type { z } from "zod";
import { GatewayError, type Violation } from "../gateway-error.ts";

const VIOLATIONS_MAX = 50;

/** Collects all that is wrong with a request, so that it is told at once. */
export function createValidation() {
  const violations: Violation[] = [];

  return {
    /** The parsed value; undefined, and a violation, when it does not match. */
    check(schema: z.ZodType | undefined, value: unknown, place: "body" | "query" | "header"): unknown {
      if (schema === undefined) return undefined;
      if (place === "body" && value === undefined && !schema.safeParse(value).success) {
        violations.push({ path: "/", code: "required", message: "the request has no body", fix: "send a JSON object" });
        return undefined;
      }
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
      for (const issue of parsed.error.issues) violations.push(...violationsOf(issue, [], place));
      return undefined;
    },

    add: (violation: Violation) => void violations.push(violation),

    /** @throws GatewayError invalid_request with everything found */
    finish(): void {
      if (violations.length === 0) return;
      const [first] = violations;
      const rest = violations.length > 1 ? ` (and ${violations.length - 1} more)` : "";
      throw new GatewayError("invalid_request", `${first?.path}: ${first?.message}${rest}`, {
        errors: violations.slice(0, VIOLATIONS_MAX),
      });
    },
  };
}

type Issue = z.core.$ZodIssue;

function violationsOf(issue: Issue, above: readonly PropertyKey[], place: string): Violation[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: pathText([...path, key], place),
      code: issue.code,
      message: "there is no such field",
      fix: "leave it out",
    }));
  }
  if (issue.code === "invalid_union") {
    // The branch that comes nearest: whose problems lie deepest, then are fewest, then are of what was given.
    const branches = issue.errors.filter((errors) => errors.length > 0);
    const depth = (errors: readonly Issue[]) => Math.min(...errors.map(({ path }) => path.length));
    const missing = (errors: readonly Issue[]) => errors.filter(({ message }) => message.endsWith("undefined")).length;
    const [best] = branches.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length || missing(a) - missing(b));
    if (best && depth(best) > 0) return best.flatMap((inner) => violationsOf(inner, path, place));
  }
  const fix = fixOf(issue);
  return [{ path: pathText(path, place), code: issue.code, message: issue.message, ...(fix && { fix }) }];
}

function fixOf(issue: Issue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return `give ${issue.expected}`;
    case "invalid_value":
      return `use ${issue.values.map(String).join(" or ")}`;
    case "too_small":
      return `at least ${issue.minimum}`;
    case "too_big":
      return `at most ${issue.maximum}`;
    case "invalid_format":
      return issue.pattern === undefined ? undefined : `it must match ${issue.pattern}`;
    default:
      return undefined;
  }
}

/** A JSON pointer into the body, `?name` for a parameter, or `Header: name`. */
function pathText(path: readonly PropertyKey[], place: string): string {
  const pointer = path.map((part) => String(part).slice(0, 200));
  if (place === "query") return `?${pointer.join("/")}`;
  if (place === "header") return `Header: ${pointer.join("/")}`;
  return `/${pointer.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}`;
}

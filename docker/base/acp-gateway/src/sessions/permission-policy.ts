import { realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Permission, PermissionPolicy } from "../wire/index.ts";
import type { ToolCallFacts } from "./tool-calls.ts";
import { matchesWildcard } from "./wildcard.ts";

export type Verdict = "allow" | "reject" | "ask";
type Rule = NonNullable<PermissionPolicy["rules"]>[number];
type Option = Permission["options"][number];

const READS = new Set(["read", "search", "think", "fetch"]);
const OTHER = "other";

/** What a policy makes of a tool call in the folder `cwd`. */
export function judge(policy: PermissionPolicy, call: ToolCallFacts, cwd: string): Verdict {
  switch (policy.mode) {
    case "ask":
      return "ask";
    case "allow-all":
      return "allow";
    case "deny":
      return "reject";
    case "allow-reads":
      return call.kind !== null && READS.has(call.kind) ? "allow" : "ask";
    case "rules":
      return (policy.rules ?? []).find((rule) => applies(rule, call, cwd))?.decision ?? "ask";
  }
}

/**
 * The option that carries a verdict out; the one that decides least first. Undefined: none was offered.
 * An agent that is allowed something always asks no more, and so takes what another rule would refuse.
 */
export function optionFor(
  verdict: "allow" | "reject",
  options: readonly Option[],
  { mode }: Pick<PermissionPolicy, "mode">,
): Option | undefined {
  const once = options.find(({ kind }) => kind === `${verdict}_once`);
  if (once || (verdict === "allow" && mode !== "allow-all")) return once;
  return options.find(({ kind }) => kind === `${verdict}_always`);
}

function applies(rule: Rule, call: ToolCallFacts, cwd: string): boolean {
  const allows = rule.decision === "allow";
  // The protocol's `other` is what agents leave out. What is not known is no reason to allow.
  if (rule.kind !== undefined && rule.kind !== (call.kind ?? (allows ? null : OTHER))) return false;
  if (rule.title !== undefined && !isTitled(rule.title, call, allows)) return false;
  if (rule.path === undefined) return true;
  const matches = pathMatcher(rule.path, cwd, allows);
  // A link must not carry a call out of what is allowed, nor around what is refused; nor must another path.
  if (!allows) {
    return (
      call.hasMorePaths ||
      call.paths.some((path) => matches(resolve(cwd, path)) || matches(realPathOf(resolve(cwd, path))))
    );
  }
  if (call.hasMorePaths || call.paths.length === 0) return false;
  return call.paths.every((path) => matches(resolve(cwd, path)) && matches(realPathOf(resolve(cwd, path))));
}

/** Of a title that was cut, what is not known may be what a rule refuses, and not what one allows. */
function isTitled(pattern: string, { title, isTitleCut }: ToolCallFacts, allows: boolean): boolean {
  const known = title ?? "";
  if (!isTitleCut) return matchesWildcard(pattern, known);
  if (allows) return pattern.endsWith("*") && matchesWildcard(pattern, known);
  const star = pattern.indexOf("*");
  return star >= 0 && matchesWildcard(pattern.slice(0, star + 1), known);
}

/** Whether an absolute path is what the glob says. One that allows reaches out of `cwd` only where it says so. */
function pathMatcher(given: string, cwd: string, allows: boolean): (path: string) => boolean {
  const pattern = given.replace(/\/+$/, "/**").replace(/^(!?)(?:\.\/+)+/, "$1");
  const glob = new Bun.Glob(pattern);
  const isAbsolute = /^!?\//.test(pattern);
  const mayLeave = !allows || isAbsolute || pattern.startsWith("..");
  // What refuses all that is in a folder refuses the folder.
  const isFolder = !allows && !pattern.startsWith("!");
  return (path) => {
    const name = isAbsolute ? path : relative(cwd, path);
    if (!mayLeave && (name === ".." || name.startsWith("../"))) return false;
    return name === pattern || glob.match(name) || (isFolder && glob.match(`${name}/`));
  };
}

/** The path with the links of what exists of it followed. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPathOf(parent), basename(path));
  }
}

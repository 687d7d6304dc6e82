import { realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Permission, PermissionPolicy } from "../wire/index.ts";
import type { ToolCallFacts } from "./tool-calls.ts";
import { matchesWildcard } from "./wildcard.ts";

export type Verdict = "allow" | "reject" | "ask";
type Rule = NonNullable<PermissionPolicy["rules"]>[number];
type Option = Permission["options"][number];

const READS = new Set(["read", "search", "think", "fetch"]);

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

/** The option that carries a verdict out; the one that decides least first. Undefined: none was offered. */
export function optionFor(verdict: "allow" | "reject", options: readonly Option[]): Option | undefined {
  return (
    options.find(({ kind }) => kind === `${verdict}_once`) ?? options.find(({ kind }) => kind === `${verdict}_always`)
  );
}

function applies(rule: Rule, call: ToolCallFacts, cwd: string): boolean {
  if (rule.kind !== undefined && rule.kind !== call.kind) return false;
  if (rule.title !== undefined && !matchesWildcard(rule.title, call.title ?? "")) return false;
  if (rule.path === undefined) return true;
  if (call.paths.length === 0) return false;
  const glob = new Bun.Glob(rule.path);
  const absolute = rule.path.replace(/^!/, "").startsWith("/");
  const matches = (path: string) => glob.match(absolute ? path : relative(cwd, path));
  // A link must not carry a call out of what is allowed, nor around what is refused; nor must another path.
  if (rule.decision !== "allow") {
    return call.paths.some((path) => matches(resolve(cwd, path)) || matches(realPathOf(resolve(cwd, path))));
  }
  if (call.hasMorePaths) return false;
  return call.paths.every((path) => matches(resolve(cwd, path)) && matches(realPathOf(resolve(cwd, path))));
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

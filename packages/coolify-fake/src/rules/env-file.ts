import type { Variable } from "../state.ts";

/** Coolify writes variables into a `.env` for compose; this is the value as it stands there. */
export function writtenValue({ value, is_literal, is_multiline }: Variable): string {
  if (value === null) return "";
  if (isJson(value)) return value;
  if (is_literal || is_multiline) return `'${value}'`;
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("'", "\\'");
}

/** Why compose cannot read the file, or null. */
export function whyEnvFails(variables: Variable[]): string | null {
  for (const { key, value, is_literal, is_multiline } of variables) {
    if (value === null || isJson(value)) continue;
    const quoted = is_literal || is_multiline;
    if (quoted ? value.includes("'") || value.endsWith("\\") : value.includes("\n")) {
      return `failed to read .env: unexpected character in variable name near "${key}"`;
    }
  }
  return null;
}

/** What arrives in the container of the variables that are for run time. */
export function arrivingValues(variables: Variable[]): Record<string, string> {
  const arrived: Record<string, string> = {};
  for (const variable of variables) {
    if (!variable.is_runtime || variable.is_preview) continue;
    arrived[variable.key] = arrivingValue(variable, arrived);
  }
  return arrived;
}

function arrivingValue(variable: Variable, others: Record<string, string>): string {
  const { value, is_literal, is_multiline } = variable;
  if (value === null) return "";
  if ((is_literal || is_multiline) && !isJson(value)) return value;
  return writtenValue(variable)
    .replace(/\s+#.*$/s, "")
    .replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => others[braced ?? bare ?? ""] ?? "");
}

function isJson(value: string): boolean {
  if (!/^\s*[[{]/.test(value)) return false;
  try {
    return typeof JSON.parse(value) === "object";
  } catch {
    return false;
  }
}

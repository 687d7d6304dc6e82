import { writtenValue } from "../rules/env-file.ts";
import type { Variable } from "../state.ts";

/** A variable as the lists show it. Values need read:sensitive or root, and one that is shown once is null. */
export function variableInList(variable: Variable, sensitive: boolean) {
  return { ...newVariable(variable, sensitive), is_required: false, order: null };
}

/** A variable in the answer that created it, which lacks two keys. */
export function newVariable(variable: Variable, sensitive: boolean) {
  const { uuid, key, value, comment, created_at, updated_at, is_shown_once } = variable;
  return {
    uuid,
    comment,
    is_buildpack_control: false,
    is_buildtime: variable.is_buildtime,
    is_coolify: false,
    is_literal: variable.is_literal,
    is_multiline: variable.is_multiline,
    is_preview: variable.is_preview,
    is_really_required: false,
    is_runtime: variable.is_runtime,
    is_shared: false,
    is_shown_once,
    key,
    ...(sensitive
      ? { real_value: is_shown_once ? null : writtenValue(variable), value: is_shown_once ? null : value }
      : {}),
    version: "4.3.10",
    created_at,
    updated_at,
  };
}

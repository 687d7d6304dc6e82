import { z } from "zod";
import { type FieldError, unsafeValue } from "./errors.ts";
import { envKeyProblem, envValueProblem, textProblem } from "./guards.ts";
import { Created, EnvVariable, Said } from "./schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";

export interface EnvPair {
  key: string;
  value: string;
  /** For people, and for whoever set the variable to know it again; without one, Coolify keeps what it has. */
  comment?: string;
}

/**
 * Sent with every value: Coolify resets `is_literal` when it is missing, and answers 500 when `is_multiline` or
 * `is_shown_once` is missing on a variable that has it. Only a literal value reaches the container as it is.
 */
const flags = {
  is_preview: false,
  is_literal: true,
  is_multiline: false,
  is_shown_once: false,
  is_runtime: true,
  is_buildtime: true,
} as const;

const all = "/applications/{uuid}/envs";

export function createEnvs({ ask }: Transport) {
  return {
    /** Without the twin that Coolify makes of each for previews. */
    async listEnvs(uuid: string, options: CallOptions = {}): Promise<EnvVariable[]> {
      const variables = await ask(
        { method: "GET", route: all, parameters: { uuid }, ...options },
        z.array(EnvVariable),
      );
      return variables.filter(({ is_preview }) => !is_preview);
    },

    /** `already_exists` when the application has the key. */
    createEnv: async (uuid: string, pair: EnvPair, options: CallOptions = {}): Promise<Created> =>
      ask(
        { method: "POST", route: all, parameters: { uuid }, ...payload([pair]), body: sent(pair), ...options },
        Created,
      ),

    /** `not_found` when the application lacks the key. */
    updateEnv: async (uuid: string, pair: EnvPair, options: CallOptions = {}): Promise<EnvVariable> =>
      ask(
        { method: "PATCH", route: all, parameters: { uuid }, ...payload([pair]), body: sent(pair), ...options },
        EnvVariable,
      ),

    /** Creates or changes each by its key; what is not named stays. Not a transaction: a part may be stored. */
    async bulkUpdateEnvs(uuid: string, pairs: readonly EnvPair[], options: CallOptions = {}): Promise<EnvVariable[]> {
      const route = `${all}/bulk`;
      const request = { ...payload(pairs), body: { data: pairs.map(sent) }, partial: true };
      return ask({ method: "PATCH", route, parameters: { uuid }, ...request, ...options }, z.array(EnvVariable));
    },

    async deleteEnv(uuid: string, envUuid: string, options: CallOptions = {}): Promise<void> {
      const parameters = { uuid, env_uuid: envUuid };
      await ask({ method: "DELETE", route: `${all}/{env_uuid}`, parameters, ...options }, Said);
    },
  };
}

function sent({ key, value, comment }: EnvPair) {
  return { key, value, ...flags, ...(comment === undefined ? {} : { comment }) };
}

/** Refuses what would not arrive as it is; names keys only, never a value. */
function payload(pairs: readonly EnvPair[]): { secrets: string[] } {
  const errors: FieldError[] = [];
  const keys = new Set<string>();
  for (const { key, value } of pairs) {
    const keyProblem = textProblem(key, envKeyProblem);
    const valueProblem = textProblem(value, envValueProblem);
    // A key that is none may be a value in the wrong place.
    if (keyProblem !== null) errors.push({ path: "key", message: keyProblem });
    else if (valueProblem !== null) errors.push({ path: key, message: valueProblem });
    if (keys.has(key)) errors.push({ path: "key", message: "must not be given twice, which makes two variables" });
    keys.add(key);
  }
  if (pairs.length === 0) errors.push({ path: "", message: "There is no variable to set." });
  if (errors.length > 0) throw unsafeValue(errors);
  return { secrets: pairs.map(({ value }) => value) };
}

import { envValueProblem, envKeyProblem } from "@agentpod/coolify";
import { RuntimeError, type Step } from "../runtime.ts";
import { containerVariables, isOwnVariable } from "./container-variables.ts";
import { ask, askFor } from "./coolify-error.ts";
import { requireApplication } from "./find-application.ts";
import { readVariables } from "./marker.ts";
import type { CoolifyRuntimeOptions } from "./options.ts";
import { secretsOf } from "../redact.ts";

/** The environment of the sandbox, for its next start. Variables that somebody added in Coolify stay. */
export function createEnvironmentStep(context: CoolifyRuntimeOptions): Step {
  return {
    name: "environment",
    run: async (spec, { signal }) => {
      const { client } = context;
      const wanted = containerVariables(spec);
      refuseUnsafe(wanted);
      const app = await requireApplication(context, spec.projectId, signal);
      const store = () => client.bulkUpdateEnvs(app.uuid, wanted, { signal });
      const stored = new Set((await ask("setting the environment", store, secretsOf(spec))).map(({ uuid }) => uuid));
      const keys = new Set(wanted.map(({ key }) => key));
      const before = new Set(readVariables(app.description));
      const listed = await ask("reading the environment", () => client.listEnvs(app.uuid, { signal }), secretsOf(spec));
      for (const variable of listed) {
        const { uuid, key } = variable;
        // The same key can be there twice, after a request whose answer was lost.
        const isStale = keys.has(key) ? !stored.has(uuid) : before.has(key) || isOwnVariable(variable);
        if (isStale) await askFor(`removing the variable ${key}`, () => client.deleteEnv(app.uuid, uuid, { signal }));
      }
    },
  };
}

/** @throws RuntimeError `rejected` that names the variables, never their values */
function refuseUnsafe(variables: readonly { key: string; value: string }[]): void {
  const problems = variables.flatMap(({ key, value }) => {
    const problem = envKeyProblem(key) ?? envValueProblem(value);
    return problem === null ? [] : [`the variable ${key} ${problem}`];
  });
  if (problems.length === 0) return;
  throw new RuntimeError("rejected", `Coolify cannot carry the sandbox's environment: ${problems.join("; ")}`);
}

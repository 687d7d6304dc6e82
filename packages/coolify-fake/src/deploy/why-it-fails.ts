import { whyEnvFails } from "../rules/env-file.ts";
import { whyLimitsFail } from "../rules/limits.ts";
import { whyRunOptionsFail } from "../rules/run-options.ts";
import type { Application } from "../state.ts";

/** What the API stores without a word and only a deployment shows: the line of its log, or null. */
export function whyItFails({ columns, destination, variables }: Application): string | null {
  const normal = variables.filter((variable) => !variable.is_preview && variable.is_runtime);
  const start = whyEnvFails(normal) ?? whyLimitsFail(columns, destination.server.cpus);
  const refused = start ?? whyRunOptionsFail(columns.custom_docker_run_options);
  if (refused !== null) return `Failed to start container: ${refused}`;
  if (columns.health_check_enabled && !columns.health_check_port && !columns.ports_exposes) {
    return 'Health check failed: template parsing error: map has no entry for key "Health"';
  }
  return null;
}

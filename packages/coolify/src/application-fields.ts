import { z } from "zod";
import { domainsProblem, portMappingsProblem, portsProblem } from "./domains.ts";
import { unsafeValue } from "./errors.ts";
import {
  appNameProblem,
  descriptionProblem,
  environmentNameProblem,
  healthPathProblem,
  identifierProblem,
} from "./guards.ts";
import { cpuTextProblem, memoryTextProblem, swapProblem } from "./limits.ts";
import { runOptionsProblem } from "./run-options.ts";

/** A string that `problem` finds nothing wrong with. */
function guarded(problem: (value: string) => string | null) {
  return z.string().superRefine((value, context) => {
    const message = problem(value);
    if (message !== null) context.addIssue({ code: "custom", message });
  });
}

const memory = guarded(memoryTextProblem).optional();
const flag = z.boolean().optional();
const count = (min: number, max: number) => z.int().min(min).max(max).optional();
const pattern = (regex: RegExp) => z.string().max(255).regex(regex, "has characters that Coolify refuses").optional();

/** What create and PATCH have in common, by Coolify's names. The image goes as `image`, a full reference. */
const shared = {
  name: guarded(appNameProblem).optional(),
  description: guarded(descriptionProblem).optional(),
  /** Null or empty clears them. A PATCH of the ports reaches the proxy only with the domains in the same request. */
  domains: guarded(domainsProblem).nullish(),
  force_domain_override: flag,
  instant_deploy: flag,
  ports_exposes: guarded(portsProblem).optional(),
  ports_mappings: guarded(portMappingsProblem).nullish(),
  limits_memory: memory,
  limits_memory_swap: memory,
  limits_memory_reservation: memory,
  limits_memory_swappiness: count(0, 100),
  limits_cpus: guarded(cpuTextProblem).optional(),
  limits_cpuset: pattern(/^\d+(-\d+)?(,\d+(-\d+)?)*$/).nullable(),
  limits_cpu_shares: count(2, 262_144),
  health_check_enabled: flag,
  health_check_type: z.enum(["http", "cmd"]).optional(),
  health_check_command: pattern(/^[a-zA-Z0-9 \-_./:=@,+]+$/),
  health_check_path: guarded(healthPathProblem).optional(),
  health_check_port: z.int().min(1).max(65_535).nullish(),
  health_check_host: pattern(/^[a-zA-Z0-9.\-_]+$/),
  health_check_method: z.enum(["GET", "HEAD", "POST", "OPTIONS"]).optional(),
  health_check_scheme: z.enum(["http", "https"]).optional(),
  health_check_return_code: count(100, 599),
  /** Seconds, as the next two. */
  health_check_interval: count(1, 3600),
  health_check_timeout: count(1, 3600),
  health_check_start_period: count(0, 3600),
  health_check_retries: count(1, 1000),
  custom_docker_run_options: guarded(runOptionsProblem).nullish(),
  is_gpu_enabled: flag,
  is_force_https_enabled: flag,
  is_gzip_enabled: flag,
  is_stripprefix_enabled: flag,
  is_consistent_container_name_enabled: flag,
  custom_internal_name: pattern(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/),
  connect_to_docker_network: flag,
  redirect: z.enum(["both", "www", "non-www"]).optional(),
  /** Seconds between SIGTERM and SIGKILL. */
  stop_grace_period: z.int().min(1).max(3600).nullish(),
  max_restart_count: count(0, 10_000),
};

const NewApplication = z.strictObject({
  ...shared,
  image: z.string(),
  environment_name: guarded(environmentNameProblem).optional(),
  environment_uuid: guarded(identifierProblem).optional(),
  destination_uuid: guarded(identifierProblem).optional(),
  autogenerate_domain: flag,
  tags: z.array(pattern(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/).unwrap()).optional(),
});
export type NewApplication = z.infer<typeof NewApplication>;

const ApplicationPatch = z.strictObject({ ...shared, image: z.string().optional() });
export type ApplicationPatch = z.infer<typeof ApplicationPatch>;

/** The fields of a create as they may be sent; throws `unsafe_value`. */
export function newApplicationFields(fields: NewApplication): NewApplication {
  const checked = check(NewApplication, fields);
  if (checked.environment_name === undefined && checked.environment_uuid === undefined) {
    throw unsafeValue([{ path: "environment_name", message: "give this or environment_uuid" }]);
  }
  return checked;
}

/** The fields of a PATCH as they may be sent; throws `unsafe_value`. */
export function patchFields(fields: ApplicationPatch): ApplicationPatch {
  const checked = check(ApplicationPatch, fields);
  if (Object.values(checked).every((value) => value === undefined)) {
    throw unsafeValue([{ path: "", message: "There is nothing to change." }]);
  }
  return checked;
}

function check<T extends { limits_memory?: string | undefined; limits_memory_swap?: string | undefined }>(
  schema: z.ZodType<T>,
  fields: T,
): T {
  const parsed = schema.safeParse(fields);
  if (!parsed.success) {
    throw unsafeValue(
      parsed.error.issues.map((issue) => ({ path: issue.path.map(String).join("."), message: issue.message })),
    );
  }
  const swap = swapProblem(parsed.data.limits_memory, parsed.data.limits_memory_swap);
  if (swap !== null) throw unsafeValue([{ path: "limits_memory_swap", message: swap }]);
  return parsed.data;
}

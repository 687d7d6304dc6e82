import { type CreateProjectInput, CreateProjectRequest, type Violation, type Warning } from "@agentpod/types";
import type { Runtime } from "../runtimes/runtime.ts";
import {
  mapLegacyTier,
  resolveImage,
  validateContainerConfig,
  type ImageResolution,
  type ResolverContext,
} from "./image-resolver.ts";
import { checkSourceUrl } from "./source-url.ts";

/** What a project is made from, as asked for. */
export interface ConfigRequest extends Partial<
  Pick<CreateProjectInput, "sourceUrl" | "resourceTierId" | "flavorId" | "addonIds">
> {
  containerTierId?: string | undefined;
}

export interface ConfigChoice {
  resourceTierId: string;
  flavorId: string;
  addonIds: string[];
}

export type ChosenConfig =
  | { ok: true; resolution: ImageResolution; containerTierId: string | null; warnings: Warning[] }
  | { ok: false; violations: Violation[] };

export interface ConfigRules {
  context: ResolverContext;
  runtime: Pick<Runtime, "name" | "capabilities">;
  sunsetAt: Date;
  now: Date;
}

/**
 * Settles what a project is made from: new fields win over the deprecated tier, what is missing comes
 * from `fallback`. Every violation is found, not only the first.
 */
export function chooseConfig(request: ConfigRequest, fallback: ConfigChoice, rules: ConfigRules): ChosenConfig {
  const violations: Violation[] = [];
  const warnings: Warning[] = [];
  let base = fallback;
  if (request.containerTierId !== undefined) {
    const legacy = mapLegacyTier(request.containerTierId, { now: rules.now, sunsetAt: rules.sunsetAt });
    if ("violation" in legacy) violations.push(legacy.violation);
    else base = legacy.mapping;
    warnings.push(legacyWarning(request));
  }
  if (request.sourceUrl !== undefined) violations.push(...checkSourceUrl(request.sourceUrl));
  const options = {
    resourceTierId: request.resourceTierId ?? base.resourceTierId,
    flavorId: request.flavorId ?? base.flavorId,
    addonIds: request.addonIds ?? base.addonIds,
  };
  violations.push(...validateContainerConfig(options, rules.context).violations);
  if (violations.length > 0) return { ok: false, violations };

  const resolution = resolveImage(options, rules.context);
  warnings.push(
    ...resolution.warnings.map((message) => ({ code: "configuration", message })),
    ...runtimeWarnings(resolution, rules.runtime),
  );
  return { ok: true, resolution, containerTierId: request.containerTierId ?? null, warnings };
}

const ConfigFields = CreateProjectRequest.pick({
  sourceUrl: true,
  resourceTierId: true,
  flavorId: true,
  addonIds: true,
  containerTierId: true,
});

/** Everything wrong with the configuration in a body, going by those of its fields that have the right form. */
export function findViolations(
  body: Record<string, unknown>,
  fallback: ConfigChoice,
  rules: ConfigRules,
): readonly Violation[] {
  const usable = Object.entries(ConfigFields.shape).filter(([name, schema]) => schema.safeParse(body[name]).success);
  const { containerTierId, ...request } = ConfigFields.parse(
    Object.fromEntries(usable.map(([name]) => [name, body[name]])),
  );
  const gone = findGone(body, rules);
  const chosen = chooseConfig(gone.length > 0 ? request : { ...request, containerTierId }, fallback, rules);
  return chosen.ok ? gone : [...gone, ...chosen.violations];
}

/** What a body has that is no longer taken, in whatever form it is sent. */
export function findGone(body: Record<string, unknown>, rules: Pick<ConfigRules, "now" | "sunsetAt">): Violation[] {
  if (!Object.hasOwn(body, "containerTierId") || rules.now.getTime() < rules.sunsetAt.getTime()) return [];
  const legacy = mapLegacyTier(String(body["containerTierId"]), rules);
  return "violation" in legacy ? [legacy.violation] : [];
}

function legacyWarning(request: ConfigRequest): Warning {
  const won = (["resourceTierId", "flavorId", "addonIds"] as const).filter((field) => request[field] !== undefined);
  return won.length > 0
    ? {
        code: "legacy_field_overridden",
        message: `containerTierId is deprecated; ${won.join(", ")} took precedence over what it stands for.`,
      }
    : { code: "legacy_field", message: "containerTierId is deprecated; send resourceTierId, flavorId and addonIds." };
}

export function runtimeWarnings(resolution: ImageResolution, runtime: ConfigRules["runtime"]): Warning[] {
  const { capabilities } = runtime;
  const warnings: Warning[] = [];
  if (!capabilities.isolation) {
    warnings.push({
      code: "no_isolation",
      message: `The ${runtime.name} runtime runs agents as plain processes of this machine; use it for a first look only.`,
    });
  }
  if (!capabilities.addons && resolution.addons.length > 0) {
    const ids = resolution.addons.map(({ id }) => id).join(", ");
    warnings.push({
      code: "addons_not_run",
      message: `The ${runtime.name} runtime cannot run addons (${ids}); their URLs are null.`,
    });
  }
  const { cpuCores, memoryGb, name } = resolution.resourceTier;
  if (!capabilities.limits) {
    warnings.push({
      code: "limits_not_applied",
      message: `The ${runtime.name} runtime does not enforce the limits of tier ${name}.`,
    });
  } else {
    if (capabilities.cpusMax !== null && cpuCores > capabilities.cpusMax) {
      warnings.push({
        code: "cpus_reduced",
        message: `Tier ${name} has ${cpuCores} CPUs, this machine ${capabilities.cpusMax}; the sandbox gets ${capabilities.cpusMax}.`,
      });
    }
    if (capabilities.memoryBytesMax !== null && memoryGb * 1024 ** 3 > capabilities.memoryBytesMax) {
      const gb = Math.floor(capabilities.memoryBytesMax / 1024 ** 3);
      warnings.push({
        code: "memory_exceeds_host",
        message: `Tier ${name} has ${memoryGb} GB of memory, this machine about ${gb} GB.`,
      });
    }
  }
  return warnings;
}

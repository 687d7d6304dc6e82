import type {
  ContainerAddonRecord,
  ContainerFlavorRecord,
  ResourceTierRecord,
  ResolveImageOptions,
  ValidationResult,
  Violation,
} from "@agentpod/types";
import { type Configuration, pickConfiguration } from "./configuration.ts";
import { defaultContext, type ResolverContext } from "./resolver-context.ts";
import { GATEWAY_PORT, OPENCODE_PORT } from "./sandbox-ports.ts";

export { mapLegacyTier } from "./legacy-tier.ts";
export { generateProjectUrls, hostPrefixes } from "./project-urls.ts";
export type { ResolverContext } from "./resolver-context.ts";

/** The image a configuration stands for, and what a container made from it gets. */
export interface ImageResolution {
  imageName: string;
  imageTag: string;
  imageRef: string;
  flavor: ContainerFlavorRecord;
  addons: ContainerAddonRecord[];
  resourceTier: ResourceTierRecord;
  /** In Coolify's form. */
  resourceLimits: { limits_memory: string; limits_cpus: string };
  /** In Docker's units. */
  containerLimits: { memoryBytes: number; nanoCpus: number; storageBytes: number };
  /** OpenCode's, the gateway's, then the addons' in ascending order. */
  exposedPorts: number[];
  portsExposes: string;
  requiresGpu: boolean;
  warnings: string[];
}

/** A configuration that no image stands for, with every reason. */
export class ImageConfigurationError extends Error {
  override readonly name = "ImageConfigurationError";
  readonly violations: readonly Violation[];

  constructor(violations: readonly Violation[]) {
    super(violations.map(({ message }) => message).join("; "));
    this.violations = violations;
  }
}

const BYTES_PER_GB = 1024 ** 3;
const NANO_CPUS_PER_CORE = 1_000_000_000;

/**
 * The image and limits for a tier, a flavor and addons; what is missing takes the catalog's default.
 * @throws ImageConfigurationError with all violations at once
 */
export function resolveImage(
  options: ResolveImageOptions,
  context: ResolverContext = defaultContext(),
): ImageResolution {
  const picked = pickConfiguration(options, context);
  if (!picked.ok) throw new ImageConfigurationError(picked.violations);
  return describe(picked.configuration, picked.warnings, context);
}

/** Whether a configuration can be had; the errors' texts are for people, the violations for programs. */
export function validateContainerConfig(
  options: ResolveImageOptions,
  context: ResolverContext = defaultContext(),
): ValidationResult {
  const picked = pickConfiguration(options, context);
  const violations = picked.ok ? [] : picked.violations;
  return { valid: picked.ok, errors: violations.map(({ message }) => message), warnings: picked.warnings, violations };
}

function describe(
  { tier, flavor, addons }: Configuration,
  warnings: string[],
  context: ResolverContext,
): ImageResolution {
  const imageName = ["agentpod", flavor.id, ...addons.map(({ id }) => id)].join("-");
  const imageTag = context.imageVersion;
  const addonPorts = new Set(addons.flatMap(({ port }) => (port === null ? [] : [port])));
  const exposedPorts = [OPENCODE_PORT, GATEWAY_PORT, ...addonPorts].toSorted((a, b) => a - b);
  return {
    imageName,
    imageTag,
    imageRef: `${context.registryUrl}/${context.registryOwner}/${imageName}:${imageTag}`,
    flavor,
    addons,
    resourceTier: tier,
    // A whole number of megabytes: Coolify hands the string to Docker, which refuses fractions.
    resourceLimits: { limits_memory: `${tier.memoryGb * 1024}m`, limits_cpus: String(tier.cpuCores) },
    containerLimits: {
      memoryBytes: tier.memoryGb * BYTES_PER_GB,
      nanoCpus: tier.cpuCores * NANO_CPUS_PER_CORE,
      storageBytes: tier.storageGb * BYTES_PER_GB,
    },
    exposedPorts,
    portsExposes: exposedPorts.join(","),
    requiresGpu: addons.some(({ requiresGpu }) => requiresGpu),
    warnings,
  };
}

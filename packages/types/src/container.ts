import { z } from "zod";
import { visibleName } from "./visible-name.ts";

const timestamps = {
  /** ISO 8601, UTC. */
  createdAt: z.iso.datetime(),
  /** ISO 8601, UTC. */
  updatedAt: z.iso.datetime(),
};

/**
 * Id of a catalog entry. It becomes part of image names and, behind a dash, of host names,
 * so it is a DNS label and short enough that `<id>-<slug>` still is one.
 */
export const CatalogId = z
  .string()
  .min(1)
  .max(22)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "use lower-case letters, digits and single dashes");

const name = visibleName;
const description = z.string().max(500).nullable();
const sortOrder = z.int().min(0).max(1_000_000);
const priceMonthly = z.number().min(0).max(1_000_000);
const sizeRule =
  "in MB of 1,000,000 bytes, unpacked. As it was measured when the images were built, until a size is given with POST or PATCH; null takes that back.";
const imageSizeMb = z.int().min(0).max(1_000_000).nullable();

/** CPU, memory and disk a sandbox may use, and what it costs a month. */
export const ResourceTier = z.object({
  id: CatalogId,
  name,
  description,
  cpuCores: z.int().min(1).max(1024),
  memoryGb: z.int().min(1).max(65_536),
  storageGb: z.int().min(1).max(1_048_576),
  priceMonthly,
  isDefault: z.boolean(),
  sortOrder,
});
export type ResourceTier = z.infer<typeof ResourceTier>;

/** The languages and tools an image is built for. */
export const ContainerFlavor = z.object({
  id: CatalogId,
  name,
  description,
  languages: z.array(z.string().min(1).max(50)).max(50),
  /** What the flavor adds to the base image, in MB, unpacked. */
  imageSizeMb: imageSizeMb.meta({ description: `What the flavor adds to the base image, ${sizeRule}` }),
  isDefault: z.boolean(),
  sortOrder,
});
export type ContainerFlavor = z.infer<typeof ContainerFlavor>;

export const AddonCategory = z.enum(["interface", "compute", "storage", "devops"]);
export type AddonCategory = z.infer<typeof AddonCategory>;

/** Something optional on top of a flavor. */
export const ContainerAddon = z.object({
  id: CatalogId,
  name,
  description,
  category: AddonCategory,
  /** What the addon adds to an image, in MB, unpacked. */
  imageSizeMb: imageSizeMb.meta({ description: `What the addon adds to an image, ${sizeRule}` }),
  /** The port its web interface listens on inside the container. */
  port: z.int().min(1).max(65_535).nullable(),
  requiresGpu: z.boolean(),
  priceMonthly,
  sortOrder,
});
export type ContainerAddon = z.infer<typeof ContainerAddon>;

/** A tier as the API stores and answers it. */
export const ResourceTierRecord = ResourceTier.extend(timestamps).meta({ id: "ResourceTier" });
export type ResourceTierRecord = z.infer<typeof ResourceTierRecord>;

/** A flavor as the API stores and answers it. */
export const ContainerFlavorRecord = ContainerFlavor.extend(timestamps).meta({ id: "ContainerFlavor" });
export type ContainerFlavorRecord = z.infer<typeof ContainerFlavorRecord>;

/** An addon as the API stores and answers it. */
export const ContainerAddonRecord = ContainerAddon.extend({
  /** Id of the only flavor the addon works on; null when it works on all. */
  requiresFlavor: CatalogId.nullable(),
  ...timestamps,
}).meta({ id: "ContainerAddon" });
export type ContainerAddonRecord = z.infer<typeof ContainerAddonRecord>;

/** What every consumer of a resolution needs. */
export const ImageResolution = z.object({
  /** `registry/owner/name:tag`. */
  imageRef: z.string(),
  exposedPorts: z.array(z.int()),
  requiresGpu: z.boolean(),
});
export type ImageResolution = z.infer<typeof ImageResolution>;

/** What a configuration is asked for with; every field has a default. */
export const ResolveImageOptions = z
  .strictObject({
    resourceTierId: z.string().min(1).max(100).optional(),
    flavorId: z.string().min(1).max(100).optional(),
    addonIds: z.array(z.string().min(1).max(100)).max(50).optional(),
  })
  .meta({ id: "ResolveImageOptions" });
export type ResolveImageOptions = z.infer<typeof ResolveImageOptions>;

/** Host names of a sandbox's services; null where the service or a wildcard domain is missing. */
export const ProjectUrls = z
  .object({
    opencode: z.string().nullable(),
    acpGateway: z.string().nullable(),
    codeServer: z.string().nullable(),
    vnc: z.string().nullable(),
    /** Coolify's form: comma list of `https://host:containerPort`. Empty without a wildcard domain. */
    domainsConfig: z.string(),
  })
  .meta({ id: "ProjectUrls" });
export type ProjectUrls = z.infer<typeof ProjectUrls>;

/** The deprecated four tiers, each with what replaces it. */
export const ContainerTier = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    cpuCores: z.int(),
    memoryGb: z.int(),
    storageGb: z.int(),
    priceMonthly: z.number(),
    isDefault: z.boolean(),
    sortOrder: z.int(),
    replacement: z.object({
      resourceTierId: z.string(),
      flavorId: z.string(),
      addonIds: z.array(z.string()),
    }),
    ...timestamps,
  })
  .meta({ id: "ContainerTier" });
export type ContainerTier = z.infer<typeof ContainerTier>;

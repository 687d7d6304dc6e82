import { ContainerAddon, ContainerAddonRecord, ContainerFlavor, ResourceTier } from "@agentpod/types";
import { z } from "@hono/zod-openapi";

/** Path parameter of one entry; whether it is known is for the catalog to say. */
export const EntryId = z.object({ id: z.string().openapi({ description: "Id of the entry" }) });

const tier = {
  ...ResourceTier.shape,
  description: ResourceTier.shape.description.default(null),
  priceMonthly: ResourceTier.shape.priceMonthly.default(0),
  isDefault: ResourceTier.shape.isDefault.default(false),
  sortOrder: ResourceTier.shape.sortOrder.default(0),
};
const flavor = {
  ...ContainerFlavor.shape,
  description: ContainerFlavor.shape.description.default(null),
  languages: ContainerFlavor.shape.languages.default([]),
  imageSizeMb: ContainerFlavor.shape.imageSizeMb.default(null),
  isDefault: ContainerFlavor.shape.isDefault.default(false),
  sortOrder: ContainerFlavor.shape.sortOrder.default(0),
};
const addon = {
  ...ContainerAddon.shape,
  description: ContainerAddon.shape.description.default(null),
  imageSizeMb: ContainerAddon.shape.imageSizeMb.default(null),
  port: ContainerAddon.shape.port.default(null),
  requiresGpu: ContainerAddon.shape.requiresGpu.default(false),
  requiresFlavor: ContainerAddonRecord.shape.requiresFlavor.default(null),
  priceMonthly: ContainerAddon.shape.priceMonthly.default(0),
  sortOrder: ContainerAddon.shape.sortOrder.default(0),
};

export const CreateResourceTier = z.strictObject(tier).meta({ id: "CreateResourceTier" });
export const CreateFlavor = z.strictObject(flavor).meta({ id: "CreateFlavor" });
export const CreateAddon = z.strictObject(addon).meta({ id: "CreateAddon" });

export const UpdateResourceTier = z.strictObject(ResourceTier.shape).partial().meta({ id: "UpdateResourceTier" });
export const UpdateFlavor = z.strictObject(ContainerFlavor.shape).partial().meta({ id: "UpdateFlavor" });
export const UpdateAddon = z
  .strictObject({ ...ContainerAddon.shape, requiresFlavor: ContainerAddonRecord.shape.requiresFlavor })
  .partial()
  .meta({ id: "UpdateAddon" });

export * from "./project.ts";
export * from "./provider.ts";
export * from "./provider-credentials.ts";
export * from "./resource-tier.ts";
export * from "./container-flavor.ts";
export * from "./container-addon.ts";

export * from "./container-tier.ts";
export * from "./event.ts";
export * from "./meta.ts";
export * from "./operation.ts";
export * from "./port-allocation.ts";

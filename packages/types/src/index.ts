export * from "./container.ts";
export * from "./drift.ts";
export * from "./errors.ts";
export * from "./image-manifest.ts";
export * from "./legacy-usage.ts";
export * from "./project.ts";
export * from "./provider.ts";
export * from "./ticket.ts";

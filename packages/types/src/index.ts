export * from "./container.ts";
export * from "./errors.ts";
export * from "./project.ts";

export * from "./event.ts";
export * from "./json.ts";
export * from "./permission.ts";
export * from "./prompt.ts";
export * from "./session.ts";

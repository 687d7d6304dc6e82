export * from "./event.ts";
export * from "./gateway.ts";
export * from "./file.ts";
export * from "./json.ts";
export * from "./permission.ts";
export * from "./prompt.ts";
export * from "./session.ts";
export * from "./terminal.ts";

import { ok, says } from "../answer.ts";
import type { Handler } from "../call.ts";
import { TEAM } from "../views/server.ts";
import { timestamp } from "../world.ts";

const startedAt = timestamp(new Date(0));

export const health: Handler = () => ({ status: 200, text: "OK" });

export const version: Handler = () => ({ status: 200, text: "4.3.10" });

export const team: Handler = () =>
  ok({ ...TEAM, is_mcp_server_enabled: true, show_boarding: true, created_at: startedAt, updated_at: startedAt });

export const enable: Handler = (world) => {
  world.apiEnabled = true;
  return says(200, "API enabled.");
};

export const disable: Handler = (world) => {
  world.apiEnabled = false;
  return says(200, "API disabled.");
};

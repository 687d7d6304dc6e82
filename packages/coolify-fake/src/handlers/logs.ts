import { ok, refuse, says, SERVER_ERROR } from "../answer.ts";
import { applicationOf, type Handler } from "../call.ts";
import { readFlag } from "../rules/query.ts";
import { isReachable } from "../world.ts";

const LINES_MAX = 10_000;
const LINES_DEFAULT = 100;

export const applicationLogs: Handler = (world, call) => {
  const { container } = applicationOf(world, call);
  if (!isReachable(world)) refuse(SERVER_ERROR);
  if (!container || container.restarting) refuse(says(400, "Application is not running."));
  const asked = Number.parseInt(call.query.get("lines") ?? "", 10);
  const lines = asked > 0 ? Math.min(asked, LINES_MAX) : LINES_DEFAULT;
  const stamp = readFlag(call.query.get("show_timestamps"), false)
    ? `${container.startedAt.toISOString().replace("Z", "000000Z")} `
    : "";
  return ok({
    logs: container.logs
      .slice(-lines)
      .map((line) => stamp + line)
      .join("\n"),
  });
};

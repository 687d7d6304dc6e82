import { type ErrorCode, GatewayError } from "../gateway-error.ts";
import type { AgentExit } from "../types.ts";

const STDERR_TOLD = 2000;

/** What is told to whoever waits for an agent that has ended. */
export function exitError(agentId: string, exit: AgentExit, code: ErrorCode = "agent_exited"): GatewayError {
  const how = exit.signal === null ? `with exit code ${exit.code}` : `by ${exit.signal}`;
  const why = exit.reason === undefined ? "" : ` because ${exit.reason}`;
  const said = exit.stderrTail.trim().slice(-STDERR_TOLD);
  return new GatewayError(code, `${agentId} ended ${how}${why}${said === "" ? "" : `; it said: ${said}`}`);
}

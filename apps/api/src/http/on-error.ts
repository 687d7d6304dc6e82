import { toApiError } from "../services/to-api-error.ts";
import type { Logger } from "./logger.ts";
import { ApiError, PROBLEMS, problemResponse } from "./problem.ts";

/** Answers a failure. What is not on the closed list is logged whole and told to nobody. */
export function createErrorAnswer(logger: Logger): (error: unknown, requestId: string) => Response {
  return (error, requestId) => {
    const known = toApiError(error);
    if (known !== undefined) {
      if (PROBLEMS[known.code].status >= 500)
        logger.warn({ requestId, code: known.code, err: error }, "request failed");
      return problemResponse(known, requestId);
    }
    logger.error({ requestId, err: error }, "request failed unexpectedly");
    return problemResponse(new ApiError("internal", "Something went wrong; the log has it under requestId"), requestId);
  };
}

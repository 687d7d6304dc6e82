import { ApiError } from "../http/problem.ts";
import { RuntimeError } from "../runtimes/runtime.ts";
import { ImageConfigurationError } from "./image-resolver.ts";

/** What the caller is told about a failure that has a meaning for them; undefined for the others. */
export function toApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof ImageConfigurationError) {
    return new ApiError("invalid_configuration", error.message, { errors: error.violations, cause: error });
  }
  if (error instanceof RuntimeError && (error.failure === "unavailable" || error.failure === "timeout")) {
    return new ApiError("runtime_unavailable", error.message, { cause: error, headers: { "retry-after": "5" } });
  }
  if (isStorageFailure(error)) {
    const detail = "The disk that holds the database is full or cannot be written; free some space and try again";
    return new ApiError("storage_unavailable", detail, { cause: error, headers: { "retry-after": "5" } });
  }
  return undefined;
}

const storageFailure = /^(SQLITE_(FULL|IOERR|READONLY|CANTOPEN)|ENOSPC$|EROFS$|EDQUOT$)/;

function isStorageFailure(error: unknown): error is Error {
  return error instanceof Error && "code" in error && storageFailure.test(String(error.code));
}

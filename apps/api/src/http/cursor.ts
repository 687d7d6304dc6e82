import { z } from "zod";
import { ApiError } from "./problem.ts";

const Position = z.tuple([z.string().max(64), z.string().max(128)]);

/** Where the next page of a list starts: opaque to the caller. */
export function encodeCursor({ createdAt, id }: { createdAt: string; id: string }): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString("base64url");
}

/** @throws ApiError `invalid_request` for anything `encodeCursor` did not make */
export function decodeCursor(cursor: string): { createdAt: string; id: string } {
  try {
    const [createdAt, id] = Position.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    return { createdAt, id };
  } catch (cause) {
    const violation = {
      path: "cursor",
      code: "invalid_format",
      message: "'cursor' is not one this API gave out",
      fix: "Use nextCursor of the previous page, or leave it out for the first",
    } as const;
    throw new ApiError("invalid_request", violation.message, { errors: [violation], cause });
  }
}

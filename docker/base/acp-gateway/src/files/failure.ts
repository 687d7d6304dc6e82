import { type ErrorCode, GatewayError } from "../gateway-error.ts";

const ANSWERS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ["file_not_found", "there is no such file or folder"],
  ENOTDIR: ["file_not_found", "a part of the path is no folder"],
  ESTALE: ["file_not_found", "it was removed meanwhile"],
  EXDEV: ["path_not_allowed", "the path leads out of the folder it must stay in"],
  ELOOP: ["path_not_allowed", "a symbolic link on the path cannot be followed"],
  EEXIST: ["file_conflict", "something of that name is there already"],
  ENOTEMPTY: ["file_conflict", "the folder is not empty; ask with recursive=true"],
  EISDIR: ["file_conflict", "a folder is in the way"],
  EBUSY: ["file_conflict", "it is in use"],
  ETXTBSY: ["file_conflict", "it is a program that runs"],
  EAGAIN: ["file_conflict", "the folder changes too fast; try again"],
  ENAMETOOLONG: ["invalid_request", "a name of the path, or the path, is too long"],
  EINVAL: ["invalid_request", "the path cannot be used so"],
  EACCES: ["file_not_permitted", "its permissions, or those of its folder, do not allow it"],
  EPERM: ["file_not_permitted", "its permissions, or those of its folder, do not allow it"],
  EROFS: ["file_not_permitted", "the file system is read-only"],
  ENXIO: ["special_file", "it is neither a file nor a folder"],
  EFBIG: ["body_too_large", "the file system takes no file of that size"],
  ENOSPC: ["no_space", "the disk is full; remove something first"],
  EDQUOT: ["no_space", "the disk quota is used up; remove something first"],
  EMFILE: ["too_many_requests", "too many files are open; try again in a second"],
  ENFILE: ["too_many_requests", "too many files are open; try again in a second"],
};

/** What a caller is told when the system refused; `path` as the caller gave it. */
export function fileError(code: string, path: string): GatewayError | undefined {
  const answer = ANSWERS[code];
  return answer && new GatewayError(answer[0], `${shown(path)}: ${answer[1]}`);
}

/** Runs `act` and tells a refusal of the system in the caller's words. */
export async function telling<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw fileError(codeOf(error), path) ?? error;
  }
}

/** The system's code of an error, "" for any other. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** A path as it may stand in a message: on one line and not too long. */
export function shown(path: string): string {
  const text = JSON.stringify(path);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

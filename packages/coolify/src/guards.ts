/**
 * What Coolify takes without a word and then breaks on, or silently changes. Each `…Problem` gives a sentence on what
 * is wrong with a value, never the value itself, or null.
 */

/** For what callers without types may hand over. */
export function textProblem(value: unknown, problem: (text: string) => string | null): string | null {
  return typeof value === "string" ? problem(value) : "must be a string";
}

/** Blank, control or markup in a name would be stripped, and a lookup by that name would miss what was made. */
export function appNameProblem(name: string): string | null {
  if (name.trim() === "") return "must not be empty";
  if (name !== name.trim()) return "must not begin or end with blanks, which Coolify cuts off";
  if (name.length > 255) return "must have at most 255 characters";
  if (/[<>]/.test(name)) return "must not hold < or >, which Coolify strips as HTML";
  if (/\p{Cc}/u.test(name)) return "must not hold control characters";
  return null;
}

export function descriptionProblem(description: string): string | null {
  if (description !== description.trim()) return "must not begin or end with blanks, which Coolify cuts off";
  if (description.includes("<")) return "must not hold <, which Coolify strips as HTML";
  if (description.includes("\0")) return "must not hold a NUL character";
  return null;
}

export function projectNameProblem(name: string): string | null {
  return name.length < 3 ? "must have at least 3 characters" : environmentNameProblem(name);
}

export function environmentNameProblem(name: string): string | null {
  if (name.length < 1 || name.length > 255) return "must have 1 to 255 characters";
  if (name !== name.trim()) return "must not begin or end with blanks, which Coolify cuts off";
  return /^[\p{L}\p{N} \-_./@&()#,:+]+$/u.test(name)
    ? null
    : "may hold letters, digits, blanks and - _ . / @ & ( ) # , : +";
}

/** An identifier that goes into a path. Coolify's are 24 letters and digits; they are opaque all the same. */
export function identifierProblem(id: string): string | null {
  return /^[A-Za-z0-9_-]{1,255}$/.test(id) ? null : "must be an identifier of letters, digits, dashes and underscores";
}

export function envKeyProblem(key: string): string | null {
  return /^[A-Za-z_][A-Za-z0-9_.]{0,254}$/.test(key)
    ? null
    : "must begin with a letter or underscore and hold letters, digits, underscores and dots, at most 255";
}

/**
 * Coolify writes the values to a `.env` file in single quotes, except JSON objects and arrays, which it writes raw.
 * What does not survive that must be encoded by the caller, as in base64.
 */
export function envValueProblem(value: string): string | null {
  if (value.includes("'")) return "must not hold a single quote, on which Coolify's deployment fails";
  if (value.endsWith("\\")) return "must not end in a backslash, on which Coolify's deployment fails";
  if (value !== value.trim()) return "must not begin or end with blanks, which Coolify cuts off";
  if (/[\0\r]/.test(value)) return "must not hold NUL or carriage return characters";
  if (!value.isWellFormed()) return "must be well-formed Unicode";
  if (/\{\{\s*(?:team|project|environment|server)\s*\./.test(value)) {
    return "must not hold {{team.…}} or the like, which Coolify replaces";
  }
  if (isJsonObject(value) && /\$|\s#|\n/.test(value)) {
    return "must not be JSON with a $, a # after a blank, or a newline, which Coolify writes unquoted";
  }
  return null;
}

/** Whether a value reaches the container exactly as it is. */
export function isSafeEnvValue(value: string): boolean {
  return envValueProblem(value) === null;
}

export function storageNameProblem(name: string): string | null {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(name)
    ? null
    : "must begin with a letter or digit and hold letters, digits, dots, dashes and underscores, at most 128";
}

export function mountPathProblem(path: string): string | null {
  if (!/^(?:\/[A-Za-z0-9_.@+-]+)+$/.test(path)) {
    return "must be an absolute path of letters, digits and . _ @ + -, other than / itself";
  }
  return path.split("/").some((part) => part === "." || part === "..") ? "must not hold . or .. as a part" : null;
}

export function healthPathProblem(path: string): string | null {
  return /^\/[a-zA-Z0-9/\-_.~%,;]*$/.test(path)
    ? null
    : "must begin with / and hold letters, digits and / - _ . ~ % , ; (no query)";
}

function isJsonObject(value: string): boolean {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null;
  } catch {
    return false;
  }
}

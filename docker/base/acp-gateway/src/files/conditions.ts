import type { BigIntStats } from "node:fs";
import { GatewayError } from "../gateway-error.ts";
import { tagOf } from "./entry.ts";

/** The conditions of a request, as its headers have them. */
export type Conditions = { ifMatch: string | null; ifNoneMatch: string | null };

/** For callers that have none. */
export const UNCONDITIONAL: Conditions = { ifMatch: null, ifNoneMatch: null };

export function conditionsOf(headers: Headers): Conditions {
  return { ifMatch: headers.get("if-match"), ifNoneMatch: headers.get("if-none-match") };
}

/**
 * Lets a change of what is there pass, or of what is not (undefined).
 * @throws GatewayError precondition_failed, invalid_request
 */
export function requireConditions({ ifMatch, ifNoneMatch }: Conditions, current: BigIntStats | undefined): void {
  const etag = current && tagOf(current);
  if (ifMatch !== null && !includes(ifMatch, etag)) {
    const why = etag === undefined ? "there is nothing of that name" : "it was changed meanwhile; read it again";
    throw new GatewayError("precondition_failed", `If-Match: ${why}`);
  }
  if (ifNoneMatch !== null && includes(ifNoneMatch, etag)) {
    throw new GatewayError("precondition_failed", "If-None-Match: it is there already");
  }
}

/** Whether the caller has this state already. */
export function isKnown({ ifNoneMatch }: Conditions, etag: string): boolean {
  // Weak comparison, as the standard has it for reading: a proxy may have weakened the tag.
  return ifNoneMatch !== null && includes(ifNoneMatch.replaceAll('W/"', '"'), etag);
}

const LIST = /^\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*$/;

function includes(header: string, etag: string | undefined): boolean {
  if (header.trim() === "*") return etag !== undefined;
  if (header.length > 8192 || !LIST.test(header)) {
    throw new GatewayError("invalid_request", 'If-Match and If-None-Match take "*" or quoted tags with commas between');
  }
  return etag !== undefined && header.split(",").some((tag) => tag.trim() === etag);
}

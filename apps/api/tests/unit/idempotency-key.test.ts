import { describe, expect, test } from "bun:test";
import { keyIn } from "../../src/http/idempotency-key.ts";
import { ApiError } from "../../src/http/problem.ts";
import { fingerprintOf } from "../../src/services/idempotency.ts";
import { thrown } from "../support/thrown.ts";

describe("an Idempotency-Key", () => {
  test.each([
    ["a Structured Field string", '"a-1"', "a-1"],
    ["the same, bare", "a-1", "a-1"],
    ["with escapes of quote and backslash", String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ["bare, where a backslash is a backslash", String.raw`a\b`, String.raw`a\b`],
    ["of one character", "~", "~"],
    ["of 255 characters", "k".repeat(255), "k".repeat(255)],
    ["of 255 characters in quotes", `"${"k".repeat(255)}"`, "k".repeat(255)],
    ["of 255 escaped characters", `"${String.raw`\"`.repeat(255)}"`, '"'.repeat(255)],
  ])("is read %s", (_, header, key) => {
    expect(keyIn(header)).toBe(key);
  });

  test.each([
    ["empty", ""],
    ["empty in quotes", '""'],
    ["over 255 characters", "k".repeat(256)],
    ["over 255 characters in quotes", `"${"k".repeat(256)}"`],
    ["with a space", "a b"],
    ["with a space in quotes", '"a b"'],
    ["twice", '"a", "b"'],
    ["with a parameter", '"a";p=1'],
    ["without its last quote", '"a'],
    ["with an escape of something else", String.raw`"\a"`],
    ["beyond ASCII", "schlüssel"],
    ["with a control character", "a\u007f"],
  ])("is refused when it is %s, with what is right", (_, header) => {
    const error = thrown(() => keyIn(header));
    if (!(error instanceof ApiError)) throw error;
    expect(error).toMatchObject({ code: "invalid_request", errors: [{ path: "idempotency-key" }] });
    const example = /Idempotency-Key: (\S+)$/.exec(error.errors?.[0]?.fix ?? "")?.[1] ?? "";
    expect(keyIn(example)).toMatch(/^[\da-f-]{36}$/);
  });
});

describe("a request's fingerprint", () => {
  const print = fingerprintOf("POST", "/api/projects", { name: "A", addonIds: ["x", "y"], nested: { b: 1, a: [2] } });

  test("does not depend on the order of fields, nor on fields without a value", () => {
    const same = { nested: { a: [2], b: 1 }, addonIds: ["x", "y"], description: undefined, name: "A" };
    expect(fingerprintOf("POST", "/api/projects", same)).toBe(print);
  });

  test("is another one for whatever asks for something else", () => {
    const others = [
      fingerprintOf("PATCH", "/api/projects", { name: "A", addonIds: ["x", "y"], nested: { b: 1, a: [2] } }),
      fingerprintOf("POST", "/api/projects/1", { name: "A", addonIds: ["x", "y"], nested: { b: 1, a: [2] } }),
      fingerprintOf("POST", "/api/projects", { name: "A", addonIds: ["y", "x"], nested: { b: 1, a: [2] } }),
      fingerprintOf("POST", "/api/projects", { name: "A", addonIds: ["x", "y"], nested: { b: "1", a: [2] } }),
      fingerprintOf("POST", "/api/projects", { name: "A", addonIds: ["x", "y"], nested: { b: 1, a: 2 } }),
      fingerprintOf("POST", "/api/projects", { name: "A", addonIds: ["x", "y"], nested: { b: null, a: [2] } }),
      fingerprintOf("POST", "/api/projects", {}),
      fingerprintOf("POST", "/api/projects"),
    ];
    expect(new Set([print, ...others]).size).toBe(others.length + 1);
  });
});

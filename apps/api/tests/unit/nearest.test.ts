import { describe, expect, test } from "bun:test";
import { nearest } from "../../src/services/nearest.ts";

const ids = ["starter", "builder", "creator", "power", "js", "code-server"];

describe("the nearest candidate", () => {
  test.each([
    ["bilder", "builder"],
    ["BUILDER", "builder"],
    ["code_server", "code-server"],
    ["jss", "js"],
    ["ts", "js"],
    ["banana", undefined],
    ["", undefined],
    ["x".repeat(100_000), undefined],
  ])("to %.20s is %p", (word, expected) => {
    expect(nearest(word, ids)).toBe(expected);
  });
});

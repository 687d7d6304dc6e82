import { expect, test } from "bun:test";
import { standardSchemas } from "../../src/http/standard-schemas.ts";

test("null fits what may be null, and a pattern is one without its flags", () => {
  const named = { $ref: "#/components/schemas/Image" };
  expect(
    standardSchemas({
      image: { allOf: [named, { type: ["object", "null"] }], description: "if known" },
      both: { allOf: [named, { type: "object" }] },
      pattern: { pattern: String.raw`^\P{Cc}*$/u`, properties: { pattern: { pattern: "^a/u?$" } } },
    }),
  ).toEqual({
    image: { anyOf: [named, { type: "null" }], description: "if known" },
    both: { allOf: [named, { type: "object" }] },
    pattern: { pattern: String.raw`^\P{Cc}*$`, properties: { pattern: { pattern: "^a/u?$" } } },
  } as never);
});

import { ProblemCode, ViolationCode } from "@agentpod/types";
import { describe, expect, test } from "bun:test";
import { PROBLEMS } from "../../src/http/problem.ts";
import { generatedFiles } from "../support/generated-files.ts";

const files = await generatedFiles();

describe("a committed file that follows from the code", () => {
  test.each(files)(
    "is up to date: $path (else run `bun apps/api/tests/support/generated-files.ts`)",
    async ({ path, text }) => {
      expect(await Bun.file(path).text()).toBe(text);
    },
  );
});

describe("docs/api-errors.md", () => {
  test("has one row for each code, with its status, and no other", () => {
    const text = files.find(({ path }) => path.endsWith("api-errors.md"))?.text ?? "";
    const rows = [...text.matchAll(/^\| <a id="(\w+)"><\/a>`(\w+)` \| (\d+) \| \S.* \| \S.* \|$/gm)];
    expect(rows.map(([, anchor, code, status]) => [anchor, code, Number(status)])).toEqual(
      ProblemCode.options.map((code) => [code, code, PROBLEMS[code].status]),
    );
    const violations = [...text.matchAll(/^\| `(\w+)` \| \S.* \|$/gm)].map(([, code]) => code);
    expect(violations).toEqual(ViolationCode.options);
  });
});

import { describe, expect, test } from "bun:test";
import { createMemo } from "../../src/http/memo.ts";

const make = (text: string, status = 200) => {
  let made = 0;
  return {
    count: () => made,
    answer: () => {
      made += 1;
      return new Response(text, { status });
    },
  };
};

describe("a memo", () => {
  test("repeats a text as JSON with the request id of who asks now", async () => {
    const memo = createMemo({ version: () => 1 });
    expect(memo.answer("a", "id-0")).toBeUndefined();
    await memo.keep("a", "id-1", () => new Response('{"a":1}'));
    const repeated = memo.answer("a", "id-2");
    expect(repeated?.headers.toJSON()).toEqual({
      "content-type": "application/json",
      "x-content-type-options": "nosniff",
      "x-request-id": "id-2",
    });
    expect(await repeated?.text()).toBe('{"a":1}');
    expect(memo.answer("b", "id-3")).toBeUndefined();
  });

  test("gives two answers that do not share their headers", async () => {
    const memo = createMemo({ version: () => 1 });
    await memo.keep("a", "id-1", () => new Response("{}"));
    const [first, second] = [memo.answer("a", "id-2"), memo.answer("a", "id-3")];
    expect([first, second].map((answer) => answer?.headers.get("x-request-id"))).toEqual(["id-2", "id-3"]);
  });

  test("forgets all when the version changes", async () => {
    let version = 1;
    const memo = createMemo({ version: () => version });
    await memo.keep("a", "id", () => new Response("{}"));
    version = 2;
    expect(memo.answer("a", "id")).toBeUndefined();
    version = 1;
    expect(memo.answer("a", "id")).toBeUndefined();
  });

  test("does not keep what was made while the version changed", async () => {
    let version = 1;
    const memo = createMemo({ version: () => version });
    await memo.keep("a", "id", async () => {
      version = 2;
      return new Response("{}");
    });
    expect(memo.answer("a", "id")).toBeUndefined();
  });

  test("forgets after its time", async () => {
    let time = 0;
    const memo = createMemo({ version: () => 1, ttlMs: 100, now: () => time });
    await memo.keep("a", "id", () => new Response("{}"));
    time = 99;
    expect(memo.answer("a", "id")).toBeDefined();
    time = 100;
    expect(memo.answer("a", "id")).toBeUndefined();
  });

  test("keeps successes only, and hands on the rest untouched", async () => {
    const memo = createMemo({ version: () => 1 });
    const refused = make("no", 422);
    const answer = await memo.keep("a", "id", refused.answer);
    expect([answer.status, await answer.text()]).toEqual([422, "no"]);
    expect(memo.answer("a", "id")).toBeUndefined();
  });

  test("is bounded", async () => {
    const memo = createMemo({ version: () => 1, entriesMax: 2 });
    for (const key of ["a", "b", "c"]) await memo.keep(key, "id", make("{}").answer);
    expect(["a", "b", "c"].map((key) => memo.answer(key, "id") !== undefined)).toEqual([true, true, false]);
  });
});

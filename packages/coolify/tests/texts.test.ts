import { describe, expect, test } from "bun:test";
import {
  appNameProblem,
  descriptionProblem,
  envKeyProblem,
  envValueProblem,
  healthPathProblem,
  isSafeEnvValue,
  mountPathProblem,
  storageNameProblem,
} from "../src/index.ts";
import { runOptionsProblem } from "../src/run-options.ts";
import { property } from "./support/seeded.ts";

const anything = "aB9 $'\"\\{}[]#\n\r\t\0;,:/@-_.é😀<>`&|%";

describe("a variable", () => {
  /** How Coolify writes a literal value to its .env file, as it was seen: raw when it is JSON, else in quotes. */
  function dotenvLine(value: string): string {
    let parsed: unknown = null;
    try {
      parsed = JSON.parse(value.trim());
    } catch {
      // not JSON
    }
    return typeof parsed === "object" && parsed !== null ? value.trim() : `'${value.trim()}'`;
  }

  /** How compose reads such a line: quoted to the next quote that no backslash precedes, raw to a comment or the end. */
  function readBack(line: string): string | null {
    if (!line.startsWith("'")) return line.includes("$") ? null : (line.split(/\s#|\n/)[0] ?? "").trimEnd();
    const end = /^'((?:[^'\\]|\\[^'])*)'/s.exec(line);
    return end !== null && end[0].length === line.length ? (end[1] ?? "") : null;
  }

  let arrived = 0;
  property("with a safe value arrives as it is", (random) => {
    const json = random.pick(['{"a":"', '["', ""]);
    const value = `${json}${random.text(anything, 0, 12)}${json === "" ? "" : json.startsWith("{") ? '"}' : '"]'}`;
    if (!isSafeEnvValue(value)) return;
    arrived += 1;
    expect(readBack(dotenvLine(value))).toBe(value);
  });

  test("was safe often enough for that to say something", () => expect(arrived).toBeGreaterThan(200));

  const safe = [
    "",
    "x",
    "a$b${c}",
    "a #b",
    'say "q" `x` \\ back',
    "l1\nl2 $X",
    '{"a":"b c","n":1}',
    "{}",
    "[1,2]",
    "é😀",
    "1",
  ];
  for (const value of safe) {
    test(`may be ${JSON.stringify(value)}`, () => expect(envValueProblem(value)).toBeNull());
  }

  const unsafe = [
    "it's",
    "ends in \\",
    " x",
    "x ",
    "x\n",
    "a\0b",
    "a\r\nb",
    '{"a":"$b"}',
    '["$x"]',
    '{"a":"b #c"}',
    '{\n"a":1}',
  ];
  for (const value of [...unsafe, "{{team.SECRET}}", "{{ environment.X }}", "\ud800"]) {
    test(`may not be ${JSON.stringify(value)}, and the problem does not repeat it`, () => {
      expect(isSafeEnvValue(value)).toBe(false);
      expect(envValueProblem(value)).not.toContain(value);
    });
  }

  test("has a key that Coolify takes", () => {
    for (const key of ["A", "_a", "a.b_c", "OPENAI_API_KEY", "A".repeat(255)]) expect(envKeyProblem(key)).toBeNull();
    for (const key of ["", "1A", "A-B", "A B", "A=B", "é", "A\n", "A".repeat(256)]) {
      expect(envKeyProblem(key)).not.toBeNull();
    }
  });
});

describe("names and paths", () => {
  const table: [string, (text: string) => string | null, string[], string[]][] = [
    [
      "an application's name",
      appNameProblem,
      ["a", "Agent ünï 🤖", 'a & "b"'],
      ["", " a", "a ", "a<b>", "a\nb", "x".repeat(256)],
    ],
    ["a description", descriptionProblem, ["", "a\nb"], [" a", "l <b>x</b>", "a\0"]],
    ["a storage's name", storageNameProblem, ["workspace", "a.b-c_d"], ["", "a b", "-a", "a/b", "x".repeat(129)]],
    [
      "a mount path",
      mountPathProblem,
      ["/workspace", "/home/me/.cache"],
      ["", "/", "a", "/a/", "/a b", "/a:ro", "/../a", "/a//b"],
    ],
    [
      "a health check's path",
      healthPathProblem,
      ["/", "/health", "/a/b~c%20"],
      ["", "health", "/h?x=1", "/a b", "/$x"],
    ],
    [
      "run options",
      runOptionsProblem,
      [
        "",
        "--init",
        "--cap-add SYS_ADMIN --init",
        "--gpus all",
        "--device=/dev/kvm",
        "--hostname my-host",
        "--shm-size 1g",
      ],
      [
        "x",
        "--memory 2g",
        "-v a:b",
        "--init; rm",
        "--security-opt no-new-privileges",
        "--device=/dev/a-b",
        "--init --env A=b",
        "--init $(x)",
      ],
    ],
  ];
  for (const [what, problem, good, bad] of table) {
    test(`${what} is taken or refused with a reason`, () => {
      expect(good.map(problem).filter((reason) => reason !== null)).toEqual([]);
      expect(bad.filter((text) => problem(text) === null)).toEqual([]);
    });
  }
});

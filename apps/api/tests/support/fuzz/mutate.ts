import type { Random } from "../random.ts";
import { nastyText, nastyValue } from "./nasty.ts";

/** Changes one place somewhere in a JSON value: another value, one more, one less. */
export function mutateValue(random: Random, value: unknown): unknown {
  const { below } = random;
  if (typeof value !== "object" || value === null || below(8) === 0) return nastyValue(random);
  if (Array.isArray(value)) {
    const index = below(value.length + 1);
    if (below(3) === 0) return [...value, ...value, nastyValue(random)];
    return value.toSpliced(index, 1, mutateValue(random, value[index]));
  }
  const entries = Object.entries(value);
  const [key, child] = entries[below(entries.length)] ?? ["id", undefined];
  switch (below(4)) {
    case 0:
      return { ...value, [below(2) === 0 ? nastyText(random) : `${key}s`]: nastyValue(random) };
    case 1:
      return Object.fromEntries(entries.filter(([name]) => name !== key));
    default:
      return { ...value, [key]: mutateValue(random, child) };
  }
}

const wholeTexts = ["", "null", "[]", '"text"', "1", "{", "{]", "NaN", "{'a':1}", "\ufeff{}", "{}{}", "undefined"];

/** Breaks a JSON text, or makes of it what parsers disagree about. */
export function mutateJson(random: Random, json: string): Buffer {
  const { below, pick } = random;
  const at = below(json.length + 1);
  switch (below(10)) {
    case 0:
      return Buffer.from(pick(wholeTexts));
    case 1:
      return Buffer.from(json.slice(0, at));
    case 2:
      return Buffer.concat([Buffer.from(json.slice(0, at)), Buffer.of(0xff, 0xc0, 0x80), Buffer.from(json.slice(at))]);
    case 3:
      return Buffer.from(
        json.replace(/\d+|"[^"]*"(?=[,}\]])/, () => pick(["1e999", "-0", "1".repeat(500), "01", "\\ud800"])),
      );
    case 4:
      return Buffer.from(json.replace(/^\{/, '{"name":"first","name":["second"],"__proto__":{"x":1},'));
    case 5:
      return Buffer.from(`${"[".repeat(50_000)}${"]".repeat(50_000)}`);
    case 6:
      return Buffer.from(json.replace(/\}$/, `${" ".repeat(pick([10, 200_000]))}}`));
    case 7:
      return Buffer.from(json, "utf16le");
    case 8:
      return Buffer.from(json.replace(/^\{/, `{"name":"${"n".repeat(pick([200_000, 270_000]))}",`));
    default:
      return Buffer.from(json.slice(0, at) + nastyText(random) + json.slice(at));
  }
}

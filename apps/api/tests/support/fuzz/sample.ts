import type { Random } from "../random.ts";
import { type Document, resolveRef, type Schema } from "./document.ts";
import type { Ids } from "./ids.ts";

export interface Sampler {
  document: Document;
  random: Random;
  ids: Ids;
}

/** A value that fits the schema, as far as its patterns can be guessed. `name` is the field's. */
export function sample(sampler: Sampler, schema: Schema, name = ""): unknown {
  const { document, random } = sampler;
  if (schema.$ref !== undefined) return sample(sampler, resolveRef(document, schema.$ref) as Schema, name);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return sample(sampler, random.pick(choices), name);
  if (schema.allOf !== undefined)
    return Object.assign({}, ...schema.allOf.map((part) => sample(sampler, part, name) as object));
  const type = Array.isArray(schema.type) ? random.pick(schema.type) : schema.type;
  if (type === "object") return sampleObject(sampler, schema);
  if (type === "array") return sampleArray(sampler, schema, name);
  if (type === "integer" || type === "number") return sampleNumber(sampler, schema);
  if (type === "boolean") return random.below(2) === 0;
  if (type === "null") return null;
  return sampleText(sampler, schema, name);
}

function sampleObject(sampler: Sampler, { properties = {}, required = [] }: Schema): Record<string, unknown> {
  const wanted = Object.entries(properties).filter(
    ([name]) => required.includes(name) || sampler.random.below(3) === 0,
  );
  return Object.fromEntries(wanted.map(([name, schema]) => [name, sample(sampler, schema, name)]));
}

function sampleArray(sampler: Sampler, { items, minItems = 0, maxItems = 3 }: Schema, name: string): unknown[] {
  const length = minItems + sampler.random.below(Math.min(maxItems - minItems, 3) + 1);
  return Array.from({ length }, () => sample(sampler, items ?? {}, name));
}

function sampleNumber({ random }: Sampler, { type, minimum = 0, maximum = 100 }: Schema): number {
  if (random.below(4) === 0) return random.pick([minimum, maximum]);
  const value = minimum + random.below(Math.min(maximum - minimum, 8) + 1);
  return type === "number" && value < maximum && random.below(2) === 0 ? value + 0.5 : value;
}

function sampleText({ random, ids }: Sampler, schema: Schema, name: string): string {
  const known = ids.forField(name);
  if (known.length > 0 && random.below(8) > 0) return random.pick(known);
  const candidates = [
    `fuzz-${random.below(60)}`,
    `Fuzz ${random.below(1_000)} ünï 🚀`,
    "lucide:box",
    "1.2.3",
    "2Gi",
    `sk-fuzz-${"x".repeat(24)}`,
    "https://127.0.0.1/refused.git",
    "/api/events",
  ];
  const pattern = schema.pattern === undefined ? undefined : new RegExp(schema.pattern, "u");
  const fitting = candidates.filter(
    (text) =>
      (pattern?.test(text) ?? true) &&
      text.length >= (schema.minLength ?? 0) &&
      text.length <= (schema.maxLength ?? Infinity),
  );
  // The first fits nearly everywhere, and names what the run made itself.
  return random.below(3) > 0 || fitting.length === 0 ? (candidates[0] ?? "") : random.pick(fitting);
}

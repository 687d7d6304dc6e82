import { invalid, refuse } from "../answer.ts";
import type { Body } from "./body.ts";

/** A field's rule: what is wrong with a value that was given, or null. `name` is the field's with blanks. */
export type Rule = (value: unknown, name: string) => string | null;

interface TextOptions {
  max?: number;
  min?: number;
  pattern?: RegExp;
  nullable?: boolean;
  oneOf?: readonly string[];
}

export function text({ max, min, pattern, nullable = false, oneOf }: TextOptions = {}): Rule {
  return (value, name) => {
    if (value === null && nullable) return null;
    if (typeof value !== "string") return `The ${name} field must be a string.`;
    if (oneOf && !oneOf.includes(value)) return `The selected ${name} is invalid.`;
    if (pattern && !pattern.test(value)) return `The ${name} field format is invalid.`;
    if (max !== undefined && value.length > max) return `The ${name} field must not be greater than ${max} characters.`;
    if (min !== undefined && value.length < min) return `The ${name} field must be at least ${min} characters.`;
    return null;
  };
}

export const flag: Rule = (value, name) =>
  [true, false, 0, 1, "0", "1"].some((known) => known === value) ? null : `The ${name} field must be true or false.`;

/** Takes digits as text as well, as Coolify does. */
export function number(options: { min?: number; max?: number; integer?: boolean; nullable?: boolean } = {}): Rule {
  const { min, max, integer = false, nullable = false } = options;
  return (value, name) => {
    if (value === null && nullable) return null;
    const found = typeof value === "string" ? Number(value) : value;
    if (typeof found !== "number" || Number.isNaN(found)) {
      return `The ${name} field must be ${integer ? "an integer" : "a number"}.`;
    }
    if (integer && !Number.isInteger(found)) return `The ${name} field must be an integer.`;
    if (min !== undefined && found < min) return `The ${name} field must be at least ${min}.`;
    if (max !== undefined && found > max) return `The ${name} field must not be greater than ${max}.`;
    return null;
  };
}

export const anything: Rule = () => null;

export const list: Rule = (value, name) => (Array.isArray(value) ? null : `The ${name} field must be an array.`);

/** Every error of a body's fields: wrong ones, missing ones and ones that are not allowed. */
export function fieldErrors(body: Body, rules: Record<string, Rule>, required: readonly string[] = []) {
  const errors: Record<string, string[]> = {};
  for (const field of required) {
    if (body[field] === undefined || body[field] === null) errors[field] = ["This field is required."];
  }
  for (const [field, value] of Object.entries(body)) {
    const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
    const problem = rule ? rule(value, field.replaceAll("_", " ")) : "This field is not allowed.";
    if (problem && !errors[field]) errors[field] = [problem];
  }
  return errors;
}

/** Refuses with 422 when a field is wrong. */
export function checkFields(body: Body, rules: Record<string, Rule>, required: readonly string[] = []) {
  const errors = fieldErrors(body, rules, required);
  if (Object.keys(errors).length > 0) refuse(invalid(errors));
}

/** A flag of a body that passed `flag`, or of one that is read without a rule. */
export const isTrue = (value: unknown) => value === true || value === 1 || value === "1" || value === "true";

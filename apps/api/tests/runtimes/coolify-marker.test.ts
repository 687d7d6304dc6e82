import { describe, expect, test } from "bun:test";
import { descriptionProblem } from "@agentpod/coolify";
import { readMarker, readVariables, writeDescription } from "../../src/runtimes/coolify/marker.ts";

const configured = { generation: 12, digest: "0123456789abcdef", after: "r01q7dwk1olx63tf42efqw4q" };
const ids = { instanceId: "0123456789abcdef", projectId: "0199d2c0-7e1f-7000-8000-5f3b1c2d4e6a" };
const described = { ...ids, slug: "my-pod", configured, variables: ["OPENAI_API_KEY", "a.b_C"] };

describe("the marker in an application's description", () => {
  test("is read back as it was written", () => {
    for (const state of [null, configured, { ...configured, after: null }]) {
      const text = writeDescription({ ...described, configured: state });
      expect(readMarker(text)).toEqual({ ...ids, configured: state });
      expect(readVariables(text)).toEqual(["OPENAI_API_KEY", "a.b_C"]);
      expect(descriptionProblem(text)).toBeNull();
    }
    expect(readVariables(writeDescription({ ...described, variables: [] }))).toEqual([]);
  });

  test("leaves out names of variables that there is no room for, and nothing else", () => {
    const variables = ["A_VERY_LONG_NAME_".repeat(12), ...Array.from({ length: 50 }, (_, index) => `NAME_${index}`)];
    const text = writeDescription({ ...described, variables });
    expect(text.length).toBeLessThanOrEqual(255);
    expect(readMarker(text)).toEqual({ ...ids, configured });
    const names = readVariables(text);
    expect(names.length).toBeGreaterThan(2);
    expect(names).toEqual(variables.slice(1, 1 + names.length));
  });

  test("is found whatever people write around it, and with all tags and line breaks gone", () => {
    const text = writeDescription(described);
    const edited = [
      `${text}\nsee ticket 12`,
      `Mine! ${text.replaceAll("\n", " ")} - do not stop`,
      text.split("\n").slice(1).join(" "),
      `(${text.split("\n")[1]})`,
      `<b>${text}</b>`.replace(/<[^>]*>/g, ""),
    ];
    for (const description of edited) expect(readMarker(description)).toEqual({ ...ids, configured });
  });

  test("with a broken end still tells whose it is", () => {
    const broken = writeDescription(described).replace(/:c[0-9a-f]+.*/s, "");
    expect(readMarker(broken)).toEqual({ ...ids, configured: null });
  });

  test("is nowhere else", () => {
    for (const text of [null, undefined, "", "agentpod", "agentpod:only-one", "my-agentpod:a:b", "agentpod: a:b"]) {
      expect(readMarker(text)).toBeNull();
      expect(readVariables(text)).toEqual([]);
    }
  });

  test("is not written with ids that could not be read back", () => {
    for (const bad of ["", "a b", "a:b", "<a>", "x".repeat(101)]) {
      expect(() => writeDescription({ ...described, projectId: bad })).toThrow(TypeError);
      expect(() => writeDescription({ ...described, instanceId: bad })).toThrow(TypeError);
    }
  });
});

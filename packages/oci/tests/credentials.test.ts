import { describe, expect, test } from "bun:test";
import { credentialsFrom } from "../src/index.ts";

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
const read = (auths: object, rest: object = {}) => credentialsFrom(JSON.stringify({ auths, ...rest }));

describe("credentials in Docker's config.json", () => {
  test("are found by the registry's name, however it is written", () => {
    const of = read({
      "https://index.docker.io/v1/": { auth: base64("hub:one") },
      "ghcr.io": { auth: base64("gh:two:with:colons") },
      "https://Registry.example.com:5000/v2/": { auth: base64("ümlaut:drei€\0\0") },
    });
    expect(of?.("docker.io")).toEqual({ username: "hub", password: "one" });
    expect(of?.("registry-1.docker.io")).toEqual({ username: "hub", password: "one" });
    expect(of?.("ghcr.io")).toEqual({ username: "gh", password: "two:with:colons" });
    expect(of?.("registry.example.com:5000")).toEqual({ username: "ümlaut", password: "drei€" });
  });

  test("are for that registry alone", () => {
    const of = read({ "ghcr.io": { auth: base64("gh:two") } });
    expect(["evil-ghcr.io", "ghcr.io.example.com", "ghcr.io:444", "docker.io"].map((host) => of?.(host))).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  test("that are kept by a program, or are identity tokens, are none", () => {
    const stored = { credsStore: "desktop", credHelpers: { "ghcr.io": "gh" } };
    const of = read({ "ghcr.io": {}, "azure.example": { auth: base64("x:"), identitytoken: "t" } }, stored);
    expect(of?.("ghcr.io")).toBeNull();
    expect(of?.("azure.example")).toBeNull();
  });

  test("are none where a value holds no user and password", () => {
    const of = read({
      a: { auth: "" },
      b: { auth: base64("nocolon") },
      c: { auth: base64(":nouser") },
      d: { auth: "%%" },
    });
    expect(["a", "b", "c", "d"].map((host) => of?.(host))).toEqual([null, null, null, null]);
  });

  test("are not read from another kind of file", () => {
    for (const text of ["", "{", "[]", "null", '{"auths":[]}', '{"auths":{"x":"secret"}}']) {
      expect(credentialsFrom(text)).toBeNull();
    }
    expect(credentialsFrom("{}")?.("ghcr.io")).toBeNull();
  });
});

import { describe, expect, test } from "bun:test";
import { isRegistryPrefix, parseImageReference, RegistryError } from "../src/index.ts";
import { originOf } from "../src/reference.ts";

const hex = "a".repeat(64);

describe("the name of an image", () => {
  test.each([
    ["debian", "docker.io", "library/debian", "latest", null],
    ["acme/js:1.2", "docker.io", "acme/js", "1.2", null],
    ["docker.io/debian:13", "docker.io", "library/debian", "13", null],
    ["index.docker.io/acme/js", "docker.io", "acme/js", "latest", null],
    ["localhost/acme/js:1", "localhost", "acme/js", "1", null],
    ["127.0.0.1:5000/js:1", "127.0.0.1:5000", "js", "1", null],
    ["[::1]:5000/acme/js:1", "[::1]:5000", "acme/js", "1", null],
    ["GHCR.io/acme/js", "ghcr.io", "acme/js", "latest", null],
    [`ghcr.io/acme/js@sha256:${hex}`, "ghcr.io", "acme/js", null, `sha256:${hex}`],
    [`ghcr.io/acme/js:1@sha256:${hex}`, "ghcr.io", "acme/js", "1", `sha256:${hex}`],
  ])("%p is read as engines do", (text, host, repository, tag, digest) => {
    expect(parseImageReference(text)).toEqual({ host, repository, tag, digest });
  });

  test.each([
    "",
    "ghcr.io/",
    "https://ghcr.io/acme/js",
    "ghcr.io/Acme/js",
    "ghcr.io/acme/../js",
    "ghcr.io/acme//js",
    "ghcr.io/acme/js:",
    "ghcr.io/acme/js:a b",
    "ghcr.io/acme/js@sha256:abc",
    "user:secret@ghcr.io/acme/js",
    "127.0.0.1:99999/js",
    "-bad.example/js",
    `ghcr.io/${"a".repeat(600)}`,
  ])("%p is refused without being repeated", (text) => {
    try {
      parseImageReference(text);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      expect(error.failure).toBe("invalid_reference");
      expect(error.message).not.toContain("secret");
    }
  });

  test("may begin with a registry and a path, which is what a configuration says", () => {
    const good = ["localhost", "ghcr.io", "ghcr.io/acme", "127.0.0.1:5000", "[::1]:5000", "acme"];
    const bad = ["", "https://ghcr.io", "ghcr.io/", "GHCR.io", "a b", "ghcr.io/a._b", "127.0.0.1:99999"];
    expect(good.filter((text) => !isRegistryPrefix(text))).toEqual([]);
    expect(bad.filter(isRegistryPrefix)).toEqual([]);
  });
});

describe("a registry's address", () => {
  test.each([
    ["docker.io", "https://registry-1.docker.io"],
    ["ghcr.io", "https://ghcr.io"],
    ["localhost:5000", "http://localhost:5000"],
    ["127.0.0.1:5000", "http://127.0.0.1:5000"],
    ["127.8.9.1", "http://127.8.9.1"],
    ["[::1]:5000", "http://[::1]:5000"],
    ["127.0.0.1.example.com", "https://127.0.0.1.example.com"],
    ["localhost.example.com:5000", "https://localhost.example.com:5000"],
    ["10.0.0.1:5000", "https://10.0.0.1:5000"],
  ])("of %p is %p: plain HTTP on this machine alone", (host, origin) => {
    expect(originOf(host)).toBe(origin);
  });

  test("is plain HTTP elsewhere only where that was asked for", () => {
    expect(originOf("10.0.0.1:5000", ["10.0.0.1:5000"])).toBe("http://10.0.0.1:5000");
    expect(originOf("10.0.0.1:5001", ["10.0.0.1:5000"])).toBe("https://10.0.0.1:5001");
  });

  test.each(["ghcr.io/path", "user@ghcr.io", "ghcr.io?x", "", "a:b"])("is not made of %p", (host) => {
    expect(() => originOf(host)).toThrow(RegistryError);
  });
});

import { expect, test } from "bun:test";
import release from "../src/bun-release.json";
import { bunPackages, machineId } from "../src/platform.mjs";
import rootManifest from "../../../package.json";

const linux = { platform: "linux", arch: "x64", musl: false };

test.each([
  [linux, true, ["@oven/bun-linux-x64", "@oven/bun-linux-x64-baseline"]],
  [linux, false, ["@oven/bun-linux-x64-baseline", "@oven/bun-linux-x64"]],
  [{ ...linux, musl: true }, true, ["@oven/bun-linux-x64-musl", "@oven/bun-linux-x64-musl-baseline"]],
  [{ ...linux, arch: "arm64" }, true, ["@oven/bun-linux-aarch64"]],
  [{ platform: "linux", arch: "arm64", musl: true }, true, ["@oven/bun-linux-aarch64-musl"]],
  [{ platform: "darwin", arch: "arm64", musl: false }, true, ["@oven/bun-darwin-aarch64"]],
  [{ platform: "darwin", arch: "x64", musl: false }, true, ["@oven/bun-darwin-x64", "@oven/bun-darwin-x64-baseline"]],
])("every build for %j (AVX2: %p) is pinned", (machine, avx2, expected) => {
  const packages = bunPackages(machine, () => avx2);
  expect(packages).toEqual(expected);
  expect(Object.keys(release.integrity)).toEqual(expect.arrayContaining(packages));
});

test("the pinned hashes are those of the pinned Bun", () => {
  expect(rootManifest.packageManager).toBe(`bun@${release.version}`);
});

test("another system or processor is refused with what would work", () => {
  expect(() => bunPackages({ ...linux, platform: "win32" })).toThrow("WSL");
  expect(() => bunPackages({ ...linux, arch: "ia32" })).toThrow("x64 and arm64");
});

test("what is installed for one machine is not taken for another", () => {
  expect(machineId(linux)).toBe("linux-x64");
  expect(machineId({ ...linux, musl: true })).toBe("linux-x64-musl");
});

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script = join(import.meta.dir, "../base/scripts/fetch-official.sh");
const content = "the tool of its maker";
const right = new Bun.CryptoHasher("sha256").update(content).digest("hex");
const wrong = "0".repeat(64);

const folder = await mkdtemp(join(tmpdir(), "agentpod-official-"));
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: ({ url }) =>
    ["/1.2/tool-amd64-x86_64", "/1.2/tool-arm64-aarch64"].includes(new URL(url).pathname)
      ? new Response(content)
      : new Response("no such file", { status: 404 }),
});
afterAll(async () => {
  await server.stop(true);
  await rm(folder, { recursive: true, force: true });
});

async function fetchTool({
  spec = `1.2 ${right} ${right}`,
  arch = "amd64",
  address = "{version}/tool-{arch}-{machine}",
}) {
  const file = join(folder, crypto.randomUUID(), "tool");
  const child = Bun.spawn([script, "TOOL_OFFICIAL", spec, `${server.url.href}${address}`, file], {
    env: { ...process.env, TARGETARCH: arch },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stderr, exitCode] = await Promise.all([child.stderr.text(), child.exited]);
  const fetched = (await Bun.file(file).exists()) ? await Bun.file(file).text() : undefined;
  return { stderr, exitCode, fetched };
}

describe("fetch-official.sh", () => {
  test.each(["amd64", "arm64"])("fetches the file for %s by its version and checksum", async (arch) => {
    expect(await fetchTool({ arch })).toEqual({ stderr: "", exitCode: 0, fetched: content });
  });

  const refusals: { name: string; given: Parameters<typeof fetchTool>[0]; told: string }[] = [
    { name: "no version", given: { spec: "" }, told: 'give TOOL_OFFICIAL="VERSION SHA256_OF_AMD64 SHA256_OF_ARM64"' },
    { name: "no checksum", given: { spec: "1.2" }, told: "give TOOL_OFFICIAL=" },
    { name: "a checksum that is none", given: { spec: "1.2 abc abc" }, told: "give TOOL_OFFICIAL=" },
    {
      name: "no checksum for this platform",
      given: { spec: `1.2 ${right}`, arch: "arm64" },
      told: "give TOOL_OFFICIAL=",
    },
    { name: "an unknown platform", given: { arch: "riscv64" }, told: "there is none for 'riscv64'" },
    { name: "a file that is not there", given: { address: "gone" }, told: "choose another source (TOOL_SOURCE)" },
    {
      name: "other content",
      given: { spec: `1.2 ${wrong} ${right}` },
      told: `has the checksum ${right}, expected ${wrong}`,
    },
  ];
  test.each(refusals)("refuses $name and says so", async ({ given, told }) => {
    const { stderr, exitCode } = await fetchTool(given);
    expect(stderr).toContain(told);
    expect(exitCode).toBe(1);
  });
});

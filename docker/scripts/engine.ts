import { z } from "zod";
import { compressedBytes } from "./saved-layers.ts";

const Inspected = z.array(
  z.object({
    Id: z.string(),
    RepoTags: z.array(z.string()),
    Os: z.string(),
    Architecture: z.string(),
    RootFS: z.object({ Layers: z.array(z.string()) }),
  }),
);

export interface LocalImage {
  ref: string;
  digest: string;
  platform: string;
  /** Ids of the unpacked layers, lowest first. */
  layers: string[];
}

/** Those of `refs` that the engine has. */
export async function localImages(refs: readonly string[]): Promise<Map<string, LocalImage>> {
  // Unknown ones make it fail, after it has told about the others.
  const { stdout } = await docker(["image", "inspect", ...refs]);
  const found = new Map<string, LocalImage>();
  for (const { Id, RepoTags, Os, Architecture, RootFS } of Inspected.parse(JSON.parse(stdout || "[]"))) {
    const image = { digest: Id, platform: `${Os}/${Architecture}`, layers: RootFS.Layers };
    for (const ref of RepoTags) if (refs.includes(ref)) found.set(ref, { ref, ...image });
  }
  return found;
}

export interface Contents {
  bytes: number;
  packagesHash: string;
  tools: Record<string, string | null>;
}

// Hard links count once. A tool may print its version anywhere in what it says first.
const QUESTIONS = `
find / -xdev -type f -printf '%D:%i %s\\n' | sort --unique | awk '{ sum += $2 } END { printf "bytes %d\\n", sum }'
printf 'packages %s\\n' "$(dpkg-query --show --showformat '\${Package} \${Architecture} \${Version}\\n' | LC_ALL=C sort | sha256sum | cut -d ' ' -f 1)"
while read -r name command; do
  printf 'tool %s %s\\n' "$name" "$(timeout 30 bash -c "$command" 2>&1 < /dev/null | head -n 5 | grep -oE '[0-9]+([.][0-9]+)+[0-9A-Za-z.+-]*' | head -n 1)"
done
`;

/** Asks an image what it holds, in a container of its own without network. */
export async function lookInside(ref: string, tools: Readonly<Record<string, string>>): Promise<Contents> {
  const options = ["--rm", "--interactive", "--network=none", "--user=0", "--workdir=/tmp", "--env=HOME=/tmp"];
  const input = Object.entries(tools).map(([name, command]) => `${name} ${command}\n`);
  const command = ["run", ...options, "--entrypoint=bash", ref, "-c", QUESTIONS];
  const { exitCode, stdout, stderr } = await docker(command, input.join(""));
  if (exitCode !== 0) throw new Error(`${ref} cannot be looked into: ${stderr.trim().slice(-500)}`);
  const answers = stdout.split("\n").map((line) => line.split(" "));
  const answer = (name: string) => answers.find(([key]) => key === name)?.[1] ?? "";
  const versions = answers.filter(([key]) => key === "tool").map(([, tool = "", version]) => [tool, version || null]);
  return {
    bytes: Number(answer("bytes")),
    packagesHash: `sha256:${answer("packages")}`,
    tools: Object.fromEntries(versions),
  };
}

/** The bytes of the images' layers as they travel, by digest; null where the engine keeps them unpacked. */
export async function compressedSizes(refs: readonly string[]): Promise<Map<string, number | null>> {
  const child = Bun.spawn(["docker", "save", ...refs], { stdout: "pipe", stderr: "pipe" });
  const [sizes, stderr, exitCode] = await Promise.all([
    compressedBytes(child.stdout),
    child.stderr.text(),
    child.exited,
  ]);
  if (exitCode !== 0) throw new Error(`the images cannot be saved: ${stderr.trim().slice(-500)}`);
  return sizes;
}

async function docker(command: readonly string[], input = "") {
  const child = Bun.spawn(["docker", ...command], { stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, exitCode };
}

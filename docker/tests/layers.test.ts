import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { describeUnless, engineMissing } from "../../apps/api/tests/support/engine.ts";
import { deriveImage, imageExists, imageReference, removeImage, runScript } from "./support/scripts.ts";

const base = await imageReference("agentpod-base");
const missing =
  engineMissing ?? ((await imageExists(base)) ? undefined : `${base} is not there; docker/scripts/build-base.sh`);

const HIDES = "the addons' layers hide and delete nothing";
const CHANGES = "the addons' layers change nothing of the base but the files in composable.txt";
const SECRETS = "the addons' layers hold no private key, identity or credentials";

const layers: { name: string; line: string; failure?: string; told: string[] }[] = [
  {
    name: "new files and packages' books",
    line: "RUN mkdir /new && touch /new/file && useradd --system somebody",
    told: ["5 passed, 0 failed"],
  },
  {
    name: "a changed file, folder, or right to a book",
    line: "RUN echo >> /etc/bash.bashrc && chmod 700 /etc/agentpod/supervisor.d && chmod 644 /etc/shadow",
    failure: CHANGES,
    told: [
      "changes /etc/bash.bashrc\n",
      "changes /etc/agentpod/supervisor.d from drwxr-xr-x 0/0 to drwx------ 0/0",
      "changes /etc/shadow from",
    ],
  },
  {
    name: "an opaque folder",
    line: "RUN touch /etc/agentpod/.wh..wh..opq",
    failure: HIDES,
    told: ["hides what others have in /etc/agentpod/"],
  },
  { name: "a deleted file", line: "RUN rm /etc/bash.bashrc", failure: HIDES, told: ["deletes /etc/bash.bashrc"] },
  {
    name: "a key that a later layer deletes",
    line: "RUN mkdir /new && ssh-keygen -q -t ed25519 -N '' -f /new/key\nRUN echo > /new/key",
    failure: SECRETS,
    told: ["/new/key"],
  },
];

describeUnless(missing, "test-container.sh looks at what addons put on the base", () => {
  setDefaultTimeout(120_000);
  const made: string[] = [];
  afterAll(async () => {
    for (const image of made) await removeImage(image);
  });

  async function look(from: string, lines: string) {
    const image = `localhost/agentpod-test/layers-${process.pid}:${made.length}`;
    made.push(image);
    await deriveImage(from, image, lines);
    const outcome = await runScript("test-container.sh", [image, "--only", "layers"]);
    const failed = [...outcome.stdout.matchAll(/^FAILED +(.+)$/gm)].map((match) => match[1] ?? "");
    return { ...outcome, failed };
  }

  for (const { name, line, failure, told } of layers) {
    test(`${failure === undefined ? "takes" : "refuses"} ${name}`, async () => {
      const outcome = await look(base, `USER root\n${line}\nLABEL dev.agentpod.addons=cloud`);
      expect(outcome.failed).toEqual(failure === undefined ? [] : [failure]);
      expect(outcome.exitCode).toBe(failure === undefined ? 0 : 1);
      for (const text of told) expect(outcome.stdout).toContain(text);
    });
  }

  test("refuses addons on another base than the one that is here", async () => {
    const outcome = await look("debian:trixie-slim", "LABEL dev.agentpod.addons=cloud");
    expect(outcome.failed).toEqual(["the image stands on the base that is here"]);
    expect(outcome.stdout).toContain(`it was built on another one than ${base}; build it again`);
  });

  test("leaves alone what has a flavor", async () => {
    const outcome = await look(base, "LABEL dev.agentpod.addons=cloud dev.agentpod.flavor=js");
    expect(outcome).toMatchObject({ exitCode: 0, stdout: "0 passed, 0 failed\n" });
    expect(outcome.stderr).toContain("no look at the layers");
  });
});

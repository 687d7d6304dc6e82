import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { describeUnless, engineMissing } from "../../apps/api/tests/support/engine.ts";
import { deriveImage, imageExists, imageReference, removeImage, runScript } from "./support/scripts.ts";

const minutes = 60_000;
const base = await imageReference("agentpod-base");
const missing =
  engineMissing ?? ((await imageExists(base)) ? undefined : `${base} is not there; docker/scripts/build-base.sh`);

const breaks = [
  {
    name: "a tool that fails",
    line: "RUN printf '#!/bin/sh\\nexit 1\\n' > ~/.local/bin/rg && chmod +x ~/.local/bin/rg",
    stages: "running",
    failures: ["rg answers"],
  },
  {
    name: "a health check that is content with anything",
    line: "HEALTHCHECK --interval=1s CMD true",
    stages: "health",
    failures: ["is unhealthy when the gateway is stopped"],
  },
  {
    name: "a private key that a later step deletes",
    line: "RUN ssh-keygen -q -t ed25519 -N '' -f ~/.key\nRUN rm ~/.key",
    stages: "files",
    failures: ["no layer holds a private key, an identity or credentials"],
  },
  {
    name: "a start that lets no signal through",
    line: 'ENTRYPOINT ["bash", "-c", "trap : TERM; agentpod-entrypoint & while :; do wait; done"]',
    stages: "running,restart",
    failures: ["SIGTERM ends it with 0 in less than 3 s", "SIGTERM ends it in time again"],
  },
];

describeUnless(missing, "test-container.sh tells what is broken on purpose", () => {
  setDefaultTimeout(5 * minutes);
  const made: string[] = [];
  afterAll(async () => {
    for (const image of made) await removeImage(image);
  });

  for (const [index, { name, line, stages, failures }] of breaks.entries()) {
    test(`${name}, and nothing else`, async () => {
      const image = `localhost/agentpod-test/broken-${process.pid}:${index}`;
      made.push(image);
      await deriveImage(base, image, line);
      const outcome = await runScript("test-container.sh", [image, "--only", stages], { HEALTHY_SECONDS_MAX: "25" });
      const failed = [...outcome.stdout.matchAll(/^FAILED +(.+)$/gm)].map((match) => match[1] ?? "");
      expect(failed).toEqual(failures);
      expect(outcome.exitCode).toBe(1);
      expect(outcome.stdout).toMatch(new RegExp(`^\\d+ passed, ${failures.length} failed$`, "m"));
    });
  }
});

const misuses: { args: string[]; told: string }[] = [
  { args: [], told: "name the image to test" },
  { args: ["--fast"], told: "unknown option '--fast'" },
  { args: ["one", "two"], told: "one image at a time" },
  { args: ["image", "--only", "everything"], told: "unknown stage 'everything'; there are: files layers running" },
  { args: ["image", "--only", "restart"], told: "restart needs running before it" },
  { args: ["image", "--only"], told: "--only needs a value" },
];

for (const { args, told } of misuses) {
  test(`test-container.sh ${args.join(" ")} says what is wrong`, async () => {
    const outcome = await runScript("test-container.sh", args);
    expect(outcome.stderr).toContain(told);
    expect(outcome).toMatchObject({ exitCode: 1, stdout: "" });
  });
}

describeUnless(engineMissing, "test-container.sh with an engine", () => {
  test("says that an image is not here", async () => {
    const outcome = await runScript("test-container.sh", ["localhost/agentpod-test/nowhere:1"]);
    expect(outcome.stderr).toContain("image 'localhost/agentpod-test/nowhere:1' is not here");
    expect(outcome.exitCode).toBe(1);
  });
});

test("test-container.sh without an engine says so", async () => {
  const outcome = await runScript("test-container.sh", ["image"], { DOCKER_HOST: "tcp://127.0.0.1:9" });
  expect(outcome.stderr).toContain("no Docker engine answers");
  expect(outcome.exitCode).toBe(1);
});

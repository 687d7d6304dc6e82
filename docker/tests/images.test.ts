import { chmodSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { makePlanCheckout, type PlanCheckout } from "./support/image-plan.ts";
import { run } from "./support/scripts.ts";

const addons = ["code-server", "gpu", "gui"];
const layers = addons.map((addon) => `test-container.sh agentpod-base-${addon} --only layers`);
const core = {
  build: [
    "build.sh --flavor js --addon code-server",
    "build.sh --flavor js --addon gui",
    ...addons.map((addon) => `build-addon.sh ${addon} --base agentpod-base`),
  ],
  test: ["test-container.sh agentpod-js-code-server", "test-container.sh agentpod-base", ...layers],
};
const whole = {
  build: [
    "build.sh all",
    "build.sh --flavor fullstack --addon code-server --addon gpu --addon gui",
    "build.sh --flavor polyglot --addon code-server --addon gpu --addon gui",
  ],
  test: [
    "test-container.sh agentpod-fullstack-code-server-gpu-gui",
    "test-container.sh agentpod-polyglot-code-server-gpu-gui",
    ...addons.map((addon) => `test-container.sh agentpod-js-${addon}`),
    "test-container.sh agentpod-fullstack",
    "test-container.sh agentpod-js",
    "test-container.sh agentpod-polyglot",
    "test-container.sh agentpod-base",
    ...layers,
  ],
};

/** Which of the two is planned now. */
async function planned(checkout: PlanCheckout): Promise<string> {
  const { exitCode, stdout, stderr } = await checkout.images("--plan");
  expect([exitCode, stderr]).toEqual([0, ""]);
  const lines = stdout.trimEnd().split("\n");
  for (const [name, { build, test: tests }] of Object.entries({ core, whole }))
    if (Bun.deepEquals(lines, [...build, ...tests])) return name;
  return stdout;
}

test("the whole tree is planned until it has passed, and then the core set", async () => {
  await using checkout = await makePlanCheckout();
  expect(await planned(checkout)).toBe("whole");
  expect(await checkout.images("--record")).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  expect(readFileSync(join(checkout.root, "docker/tree.sha256"), "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
  expect(await planned(checkout)).toBe("core");
});

const changes: { name: string; change: (checkout: PlanCheckout) => void; plan: string }[] = [
  { name: "a changed README", change: ({ write }) => write("docker/addons/gui/README.md", "# Gui\n"), plan: "core" },
  { name: "a changed test", change: ({ write }) => write("docker/tests/a.test.ts", "export {};\n"), plan: "core" },
  {
    name: "a changed gateway",
    change: ({ write }) => write("docker/base/acp-gateway/src/a.ts", "export {};\n"),
    plan: "core",
  },
  { name: "a new manifest", change: ({ write }) => write("docker/manifest.json", "{}\n"), plan: "core" },
  { name: "a file that git ignores", change: ({ write }) => write("docker/base/build.log", "done\n"), plan: "core" },
  { name: "a file elsewhere", change: ({ write }) => write("apps/api/index.ts", "export {};\n"), plan: "core" },
  {
    name: "a changed Dockerfile",
    change: ({ write }) => write("docker/base/Dockerfile", "FROM debian\n"),
    plan: "whole",
  },
  { name: "a new script", change: ({ write }) => write("docker/scripts/config.sh.orig", ""), plan: "whole" },
  { name: "a new file", change: ({ write }) => write("docker/addons/gui/trim.sh", "true\n"), plan: "whole" },
  {
    name: "a file that can be run now",
    change: ({ root }) => chmodSync(join(root, "docker/VERSION"), 0o755),
    plan: "whole",
  },
  { name: "a deleted file", change: ({ root }) => rmSync(join(root, "docker/addons/gpu/fetch.sh")), plan: "whole" },
];
for (const { name, change, plan } of changes) {
  test(`${name} is followed by tests of ${plan === "core" ? "the core set" : "the whole tree"}`, async () => {
    await using checkout = await makePlanCheckout();
    await checkout.images("--record");
    change(checkout);
    expect(await planned(checkout)).toBe(plan);
  });
}

test("a clone of the checkout has passed as well", async () => {
  await using checkout = await makePlanCheckout();
  await checkout.images("--record");
  const git = ["git", "-C", checkout.root, "-c", "user.name=test", "-c", "user.email=test@localhost"];
  await run([...git, "add", "."]);
  expect((await run([...git, "commit", "--quiet", "--message=passed"])).exitCode).toBe(0);
  const clone = join(checkout.root, "../clone");
  await run(["git", "clone", "--quiet", checkout.root, clone]);
  expect((await run([join(clone, ".ci/images"), "--plan"])).stdout.trimEnd().split("\n")).toEqual([
    ...core.build,
    ...core.test,
  ]);
});

test("what was planned is run; all counts are added up, and a whole tree that passed says how to record it", async () => {
  await using checkout = await makePlanCheckout();
  expect((await checkout.images("--build")).exitCode).toBe(0);
  expect(checkout.commands()).toEqual(whole.build);
  const tested = await checkout.images("--test");
  expect(checkout.commands().toSorted()).toEqual(whole.test.toSorted());
  expect([tested.exitCode, tested.stdout]).toEqual([0, expect.stringContaining('".ci/images --record" writes it to')]);
  expect(tested.stdout).toEndWith(`\n${12 * 3} passed, 0 failed\n`);

  await checkout.images("--record");
  await checkout.images("--build");
  const tests = await checkout.images("--test");
  expect(checkout.commands().toSorted()).toEqual([...core.build, ...core.test].toSorted());
  expect([tests.exitCode, tests.stdout]).toEqual([0, expect.not.stringContaining("--record")]);
  expect(tests.stdout).toEndWith(`\n${5 * 3} passed, 0 failed\n`);
});

const failures: { name: string; command: string; output: string; exitCode: number; told: string }[] = [
  {
    name: "a failed check",
    command: "test-container.sh agentpod-js",
    output: "2 passed, 1 failed",
    exitCode: 1,
    told: "35 passed, 1 failed",
  },
  {
    name: "a test that counts nothing",
    command: "test-container.sh agentpod-js",
    output: "no engine",
    exitCode: 1,
    told: "33 passed, 1 failed",
  },
  {
    name: "a test of nothing",
    command: "test-container.sh agentpod-js",
    output: "0 passed, 0 failed",
    exitCode: 0,
    told: "33 passed, 1 failed",
  },
  {
    name: "a test that ends badly after all",
    command: "test-container.sh agentpod-js",
    output: "3 passed, 0 failed",
    exitCode: 7,
    told: "36 passed, 1 failed",
  },
];
for (const { name, command, output, exitCode, told } of failures) {
  test(`${name} is a failure, and the other images are tested all the same`, async () => {
    await using checkout = await makePlanCheckout();
    checkout.answer(command, output, exitCode);
    const tested = await checkout.images("--test");
    expect(checkout.commands().toSorted()).toEqual(whole.test.toSorted());
    expect([tested.exitCode, tested.stdout]).toEqual([1, expect.not.stringContaining("--record")]);
    expect(tested.stdout).toContain(output);
    expect(tested.stdout).toEndWith(`\n${told}\n`);
  });
}

test("a build that fails ends the build", async () => {
  await using checkout = await makePlanCheckout();
  await checkout.images("--record");
  checkout.answer(core.build[0] ?? "", "no room", 1);
  const built = await checkout.images("--build");
  expect([built.exitCode, built.stdout]).toEqual([1, expect.stringContaining("no room")]);
  expect(checkout.commands()).toEqual(core.build.slice(0, 1));
});

test("other uses are told what is wrong", async () => {
  await using checkout = await makePlanCheckout();
  const told = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await checkout.images(...args);
    return [exitCode, stdout, stderr];
  };
  expect(await told()).toEqual([1, "", "images: say --build, --test, --plan or --record; see --help\n"]);
  expect(await told("--push")).toEqual([1, "", "images: unknown argument '--push'; see --help\n"]);
  expect(await told("--help")).toEqual([0, expect.stringContaining("Usage: .ci/images --build"), ""]);
  rmSync(join(checkout.root, ".git"), { recursive: true });
  expect(await told("--plan")).toEqual([1, "", expect.stringContaining("is no git checkout")]);
});

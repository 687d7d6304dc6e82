import { afterAll, describe, expect, test } from "bun:test";
import { expectWire } from "./support/expect-wire.ts";
import { startCoolifyFake } from "../src/index.ts";
import { exchanges, type Observation, observations } from "./support/exchanges.ts";
import { contains, createObserved, deployAndWatch, observedUuid, type Pair, watch } from "./support/observe.ts";
import { request, stepUntil } from "./support/wait.ts";

/** Slow deployments, so that the status of one is still on its way when the next begins. */
const fake = startCoolifyFake({
  isStepped: true,
  deploymentMs: 150,
  servers: [{ cpus: 2, concurrentBuilds: 50 }],
});
afterAll(() => fake.close());

/** Reasons that docker or compose gave; the log of a deployment has to tell the same one. */
const REASONS = [
  "Minimum memory limit allowed is 6MB",
  "Minimum memoryswap limit should be larger than memory limit",
  "invalid size: '-1'",
  "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available",
  'Invalid security-opt: "no"',
  'map has no entry for key "Health"',
];

const pairsOf = ({ transitions = [] }: Observation): Pair[] => transitions.map(([, one, other]) => [one, other]);
const isStart = ({ after }: Observation) => exchanges[after - 1]?.path.endsWith("/start") ?? false;
const at = (line: number) => observations.find(({ after }) => after === line) as Observation;
const isFirstStart = (observation: Observation) => pairsOf(observation)[0]?.[1] === "exited:unhealthy";
const deployments = observations.filter((one) => one.transitions && isStart(one) && isFirstStart(one));

describe("statuses can follow one another as they were seen:", () => {
  test.each(deployments.map((observation) => [observation.label, observation] as const))(
    "%s",
    async (_, observation) => {
      const uuid = await createObserved(fake, observedUuid(at(observation.after)));
      const { seen, log } = await deployAndWatch(fake, uuid, observation);
      for (const reason of REASONS) {
        if (observation.log_lines?.join("\n").includes(reason)) expect(JSON.parse(log)).toContainEqual(failure(reason));
      }
      expect({ seen, holds: contains(seen, pairsOf(observation)) }).toEqual({ seen, holds: true });
    },
  );

  test("a first start", async () => {
    const uuid = await createObserved(fake, wa);
    const { seen } = await deployAndWatch(fake, uuid, at(345));
    expect(contains(seen, pairsOf(at(345)))).toBe(true);
  });

  test("and nothing that was seen is left out", () => {
    const here = [345, 354, 355, 359, 362, 363, ...deployments.map(({ after }) => after)];
    const all = observations.filter(({ transitions }) => transitions).map(({ after }) => after);
    expect(here.toSorted((one, other) => one - other)).toEqual(all);
  });

  test("a restart applies what was changed, and passes through running:unhealthy", async () => {
    const uuid = await running();
    await request(fake, "PATCH", `/applications/${uuid}`, { docker_registry_image_tag: "v2" });
    expect(snapshot(uuid)?.running?.image).toBe(at(353).image as string);
    const { json } = await request(fake, "POST", `/applications/${uuid}/restart`);
    const { seen } = await watch(fake, String(json["deployment_uuid"]));
    expect(
      contains(seen, [
        ["in_progress", "running:healthy"],
        ["finished", "running:healthy"],
      ]),
    ).toBe(true);
    expect(at(354).image).toEndWith(snapshot(uuid)?.running?.image ?? "none");
  });

  test("a deployment can begin while the status still comes from the one before", async () => {
    const uuid = await running();
    await request(fake, "POST", `/applications/${uuid}/start`);
    await stepUntil(fake, "its end", () => snapshot(uuid)?.status === "running:unhealthy");
    await stepUntil(fake, "no deployment", async () => {
      return (await request(fake, "GET", "/deployments")).json.length === 0;
    });
    const { json } = await request(fake, "POST", `/deploy?uuid=${uuid}&force=true`);
    const { seen } = await watch(fake, String(json["deployments"]?.[0]?.["deployment_uuid"]));
    expect(contains(seen, pairsOf(at(359)))).toBe(true);
  });

  test("a stop ends the container a while later and keeps its volume", async () => {
    const uuid = await running();
    await request(fake, "POST", `/applications/${uuid}/stop`);
    expect(pairsOf(at(355)).map(([, status]) => status)).toEqual(["running:healthy", "exited:unhealthy"]);
    expect(snapshot(uuid)?.status).toBe("running:healthy");
    await stepUntil(fake, "the stop", () => snapshot(uuid)?.status === "exited:unhealthy");
    expect(snapshot(uuid)?.running).toBeNull();
    expect(fake.volumes()).toContain(`${uuid}-data`);
    expect(at(355).volumes).toEndWith("-data");
  });

  test("a deployment that is cancelled leaves the old container as it was", async () => {
    const uuid = await running();
    const before = snapshot(uuid)?.running;
    const { json } = await request(fake, "POST", `/applications/${uuid}/start`);
    const deployment = String(json["deployment_uuid"]);
    await request(fake, "POST", `/deployments/${deployment}/cancel`);
    const { seen } = await watch(fake, deployment);
    expect(seen).toEqual(pairsOf(at(362)));
    expectWire(snapshot(uuid)?.running).toEqual(before);
  });

  test.each([
    ["delete_volumes=false", true],
    ["delete_volumes=0", true],
    ["", false],
  ])("a deletion with ?%s is seen a while later; its volume stays: %p", async (query, stays) => {
    const uuid = await running();
    await request(fake, "DELETE", `/applications/${uuid}?${query}`);
    const seen: Pair[] = [];
    for (let status = 0; status !== 404; fake.step()) {
      const answer = await request(fake, "GET", `/applications/${uuid}`);
      status = answer.status;
      if (seen.at(-1)?.[0] !== status) seen.push([status, status === 404 ? answer.json : answer.json["status"]]);
    }
    expect(seen).toEqual(pairsOf(at(363)));
    expect(fake.volumes().includes(`${uuid}-data`)).toBe(stays);
  });

  test("a container gets the variables in the form that was seen", async () => {
    const uuid = await running();
    const { env = {} } = snapshot(uuid)?.running ?? {};
    const arrived = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    const recorded = (at(352).env ?? []).map((line) => line.replaceAll(wa, uuid));
    const own = /^(?:VERSION|COOLIFY_CONTAINER_NAME)=/;
    const sorted = (all: string[]) => all.filter((line) => !own.test(line)).toSorted();
    expect(sorted(arrived)).toEqual(sorted(recorded));
  });
});

/** The application most observations are of; a stop names it. */
const wa = observedUuid(at(355));

async function running(): Promise<string> {
  const uuid = await createObserved(fake, wa);
  await request(fake, "POST", `/applications/${uuid}/start`);
  await stepUntil(fake, "it to be healthy", () => snapshot(uuid)?.status === "running:healthy");
  return uuid;
}

const snapshot = (uuid: string) => fake.applications().find((application) => application.uuid === uuid);
const failure = (reason: string) =>
  expect.objectContaining({
    output: expect.stringMatching(new RegExp(`^Deployment failed: .*${RegExp.escape(reason)}`)),
  });

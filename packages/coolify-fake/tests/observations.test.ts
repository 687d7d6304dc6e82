import { afterAll, describe, expect, test } from "bun:test";
import { expectWire } from "./support/expect-wire.ts";
import { startCoolifyFake } from "../src/index.ts";
import { exchanges, type Observation, observations } from "./support/exchanges.ts";
import { contains, createObserved, deployAndWatch, observedUuid, type Pair, watch } from "./support/observe.ts";
import { request, until } from "./support/wait.ts";

const STEP_MS = 8;
const QUIET_MS = STEP_MS * 4;
const CALM_QUIET_MS = 80;
const ATTEMPTS_MAX = 5;
const servers = [{ cpus: 2, concurrentBuilds: 50 }];
const hasty = startCoolifyFake({ deploymentMs: STEP_MS * 4, statusLagMs: STEP_MS, healthMs: STEP_MS, servers });
/** Slow enough that a test can act while something is under way. */
const calm = startCoolifyFake({
  deploymentMs: 150,
  statusLagMs: 30,
  healthMs: 30,
  stopMs: 100,
  deletionMs: 100,
  servers,
});
afterAll(async () => {
  await hasty.close();
  await calm.close();
});

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
      const uuid = await createObserved(hasty, observedUuid(at(observation.after)));
      const wanted = pairsOf(observation);
      let seen: Pair[] = [];
      for (let attempt = 0; attempt < ATTEMPTS_MAX && !contains(seen, wanted); attempt++) {
        if (attempt > 0) await stopped(uuid);
        const watched = await deployAndWatch(hasty, uuid, observation, QUIET_MS);
        seen = watched.seen;
        for (const reason of REASONS) {
          if (observation.log_lines?.join("\n").includes(reason))
            expect(JSON.parse(watched.log)).toContainEqual(failure(reason));
        }
      }
      expect({ seen, holds: contains(seen, wanted) }).toEqual({ seen, holds: true });
    },
  );

  test("a first start", async () => {
    const uuid = await createObserved(hasty, wa);
    const { seen } = await deployAndWatch(hasty, uuid, at(345), QUIET_MS);
    expect(contains(seen, pairsOf(at(345)))).toBe(true);
  });

  test("and nothing that was seen is left out", () => {
    const here = [345, 354, 355, 359, 362, 363, ...deployments.map(({ after }) => after)];
    const all = observations.filter(({ transitions }) => transitions).map(({ after }) => after);
    expect(here.toSorted((one, other) => one - other)).toEqual(all);
  });

  test("a restart applies what was changed, and passes through running:unhealthy", async () => {
    const uuid = await running();
    await request(calm, "PATCH", `/applications/${uuid}`, { docker_registry_image_tag: "v2" });
    expect(snapshot(uuid)?.running?.image).toBe(at(353).image as string);
    const { json } = await request(calm, "POST", `/applications/${uuid}/restart`);
    const { seen } = await watch(calm, String(json["deployment_uuid"]), CALM_QUIET_MS);
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
    let seen: Pair[] = [];
    for (let attempt = 0; attempt < ATTEMPTS_MAX && !contains(seen, pairsOf(at(359))); attempt++) {
      await request(calm, "POST", `/applications/${uuid}/start`);
      await until("its end", () => snapshot(uuid)?.status === "running:unhealthy");
      await until("no deployment", async () => (await request(calm, "GET", "/deployments")).json.length === 0);
      const { json } = await request(calm, "POST", `/deploy?uuid=${uuid}&force=true`);
      seen = (await watch(calm, String(json["deployments"]?.[0]?.["deployment_uuid"]), CALM_QUIET_MS)).seen;
    }
    expect(contains(seen, pairsOf(at(359)))).toBe(true);
  });

  test("a stop ends the container a while later and keeps its volume", async () => {
    const uuid = await running();
    await request(calm, "POST", `/applications/${uuid}/stop`);
    expect(pairsOf(at(355)).map(([, status]) => status)).toEqual(["running:healthy", "exited:unhealthy"]);
    expect(snapshot(uuid)?.status).toBe("running:healthy");
    await until("the stop", () => snapshot(uuid)?.status === "exited:unhealthy");
    expect(snapshot(uuid)?.running).toBeNull();
    expect(calm.volumes()).toContain(`${uuid}-data`);
    expect(at(355).volumes).toEndWith("-data");
  });

  test("a deployment that is cancelled leaves the old container as it was", async () => {
    const uuid = await running();
    const before = snapshot(uuid)?.running;
    const { json } = await request(calm, "POST", `/applications/${uuid}/start`);
    const deployment = String(json["deployment_uuid"]);
    await request(calm, "POST", `/deployments/${deployment}/cancel`);
    const { seen } = await watch(calm, deployment, CALM_QUIET_MS);
    expect(seen).toEqual(pairsOf(at(362)));
    expectWire(snapshot(uuid)?.running).toEqual(before);
  });

  test.each([
    ["delete_volumes=false", true],
    ["delete_volumes=0", true],
    ["", false],
  ])("a deletion with ?%s is seen a while later; its volume stays: %p", async (query, stays) => {
    const uuid = await running();
    await request(calm, "DELETE", `/applications/${uuid}?${query}`);
    const seen: Pair[] = [];
    for (let status = 0; status !== 404; await Bun.sleep(1)) {
      const answer = await request(calm, "GET", `/applications/${uuid}`);
      status = answer.status;
      if (seen.at(-1)?.[0] !== status) seen.push([status, status === 404 ? answer.json : answer.json["status"]]);
    }
    expect(seen).toEqual(pairsOf(at(363)));
    expect(calm.volumes().includes(`${uuid}-data`)).toBe(stays);
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
  const uuid = await createObserved(calm, wa);
  await request(calm, "POST", `/applications/${uuid}/start`);
  await until("it to be healthy", () => snapshot(uuid)?.status === "running:healthy");
  return uuid;
}

async function stopped(uuid: string) {
  await request(hasty, "POST", `/applications/${uuid}/stop`);
  await until("it to be stopped", () =>
    hasty.applications().every((one) => one.uuid !== uuid || (one.running === null && !one.stopPending)),
  );
}

const snapshot = (uuid: string) => calm.applications().find((application) => application.uuid === uuid);
const failure = (reason: string) =>
  expect.objectContaining({
    output: expect.stringMatching(new RegExp(`^Deployment failed: .*${RegExp.escape(reason)}`)),
  });

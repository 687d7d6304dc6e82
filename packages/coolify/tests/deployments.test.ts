import { describe, expect, test } from "bun:test";
import { createCoolifyClient, currentDeployment, deploymentFailure } from "../src/index.ts";
import { recordedExchanges } from "./support/recorded.ts";
import { failureFrom, serve } from "./support/serve.ts";

/** A Coolify with these deployments of the application, newest first. */
function coolifyWith(deployments: { deployment_uuid: string; status: string }[]) {
  return serve((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/v1/deployments/applications/app") {
      return Response.json({ count: deployments.length, deployments: deployments.slice(0, 1) });
    }
    const found = deployments.find(({ deployment_uuid: uuid }) => pathname === `/api/v1/deployments/${uuid}`);
    return found === undefined
      ? Response.json({ message: "Deployment not found." }, { status: 404 })
      : Response.json(found);
  });
}

describe("the current deployment", () => {
  const running = { deployment_uuid: "running", status: "in_progress" };
  const cases: [string, string | null, (typeof running)[], string | null][] = [
    ["is the trigger's own", "running", [running], "running"],
    ["is the trigger's own when it has ended already", "done", [{ deployment_uuid: "done", status: "failed" }], "done"],
    ["is the one that runs when the trigger named none", null, [running], "running"],
    [
      "is the queued one when the trigger named one that does not exist",
      "ghost",
      [{ ...running, status: "queued" }],
      "running",
    ],
    ["is none when the queue was full", "ghost", [], null],
    ["is none when the newest has ended", null, [{ ...running, status: "finished" }], null],
    ["is none when the newest was cancelled", "ghost", [{ ...running, status: "cancelled-by-user" }], null],
  ];
  for (const [what, deploymentUuid, deployments, expected] of cases) {
    test(what, async () => {
      await using place = coolifyWith(deployments);
      const client = createCoolifyClient({ baseUrl: place.url, token: "t" });
      const found = await currentDeployment(client, "app", { deploymentUuid });
      expect(found?.deployment_uuid ?? null).toBe(expected);
    });
  }

  test("is not guessed when Coolify fails", async () => {
    await using place = serve(() => new Response("", { status: 502 }));
    const client = createCoolifyClient({ baseUrl: place.url, token: "t" });
    expect((await failureFrom(currentDeployment(client, "app", { deploymentUuid: "a" }))).failure).toBe("server_error");
  });
});

test("a deploy by uuid and one by tag give the same shape", async () => {
  const exchanges = await recordedExchanges();
  for (const label of ["(worker) POST /deploy?force=true", "POST /deploy by tag"]) {
    const exchange = exchanges.find((each) => each.label === label);
    await using place = serve(() => Response.json(exchange?.response_json));
    const client = createCoolifyClient({ baseUrl: place.url, token: "t" });
    const { deployments } = await client.deploy(label.includes("tag") ? { tag: "agent" } : { uuid: "a", force: true });
    expect(deployments).toEqual([
      {
        resourceUuid: expect.stringMatching(/^[a-z0-9]{24}$/),
        deploymentUuid: expect.stringMatching(/^[a-z0-9]{24}$/),
        message: expect.stringContaining("queued"),
      },
    ]);
  }
});

test("a trigger that was skipped has no deployment", async () => {
  await using place = serve(() => Response.json({ message: "Deployment already queued for this commit." }));
  const client = createCoolifyClient({ baseUrl: place.url, token: "t" });
  expect(await client.startApplication("a")).toEqual({
    deploymentUuid: null,
    message: "Deployment already queued for this commit.",
  });
  expect(await client.updateApplication("a", { instant_deploy: true })).toMatchObject({ uuid: "a" });
});

test("variables come without their preview twins", async () => {
  const item = { uuid: "u", key: "A", value: "1", is_preview: false };
  await using place = serve(() => Response.json([item, { ...item, uuid: "v", is_preview: true }]));
  const found = await createCoolifyClient({ baseUrl: place.url, token: "t" }).listEnvs("a");
  expect(found.map(({ uuid }) => uuid)).toEqual(["u"]);
});

describe("the reason of a failed deployment", () => {
  const logs = (...outputs: (string | null)[]) => JSON.stringify(outputs.map((output) => ({ output, type: "stderr" })));
  const failed = "Deployment failed: Rolling update failed (App\\Exceptions\\DeploymentException): Failed to start";

  test("is what the engine said last", () => {
    const line = `${failed} container: Command execution failed (exit code 1): docker exec x bash -c ' docker compose up'\nError:  Container y Creating\nError response from daemon: Minimum memory limit allowed is 6MB`;
    const text = logs("Error response from daemon: No such container: x", line, "Error type: App\\Exceptions");
    expect(deploymentFailure({ logs: text })).toBe("Error response from daemon: Minimum memory limit allowed is 6MB");
  });

  test("is the whole line when the engine said nothing", () => {
    const line = `${failed} container: Invalid security-opt: "no"`;
    expect(deploymentFailure({ logs: logs("x", line) })).toBe(line.slice("Deployment failed: ".length));
  });

  test("is the health check's word when there is no other", () => {
    expect(deploymentFailure({ logs: logs("Starting", "New container is unhealthy.", "Removing.") })).toBe(
      "New container is unhealthy.",
    );
  });

  test("of a server that cannot be reached is found in a recorded deployment", async () => {
    const exchange = (await recordedExchanges()).find(({ label }) => label === "(server unreachable) deployment");
    const body = exchange?.response_json as { logs: string };
    expect(deploymentFailure(body)).toMatch(/Server is not functional/);
  });

  test("is one line and bounded", () => {
    const reason = deploymentFailure({ logs: logs(`Deployment failed: ${"a\n".repeat(5000)}`) }) ?? "";
    expect(reason.length).toBe(1000);
    expect(reason).not.toContain("\n");
  });

  test("is unknown without logs, or with logs that are none", () => {
    for (const text of [null, undefined, "", "{", "{}", "[1]", logs("fine", null)]) {
      expect(deploymentFailure({ logs: text })).toBeNull();
    }
  });
});

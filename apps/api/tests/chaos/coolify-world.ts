import type { Project } from "@agentpod/types";
import { type FaultKind, startCoolifyFake } from "@agentpod/coolify-fake";
import type { Random } from "../support/random.ts";
import type { Actual, World } from "./world.ts";

const requests: readonly FaultKind[] = [
  "lost_answer",
  "lost_request",
  "rate_limited",
  "server_error",
  "slow",
  "html_redirect",
];
const deployments: readonly FaultKind[] = [
  "queue_full",
  "phantom_deployment",
  "already_queued",
  "stuck_deployment",
  "failed_deployment",
  "unhealthy_flicker",
  "crash_after_finished",
  "deletion_lag",
];
/** They last for a while instead of striking a number of times. */
const states: readonly FaultKind[] = ["api_disabled", "server_unreachable", "proxy_none"];

const MB_PER_GB = 1024;
const slowMsMax = 320;

/** Sandboxes on a Coolify that loses answers, has full queues, fails deployments and is out of reach at times. */
export async function createCoolifyWorld(seed: number): Promise<World> {
  const fake = await startCoolifyFake({ seed, healthMs: 5, deploymentMs: 15 });
  const timers = new Set<ReturnType<typeof setTimeout>>();

  function disturb(random: Random): string {
    const kind = random.pick([...requests, ...requests, ...deployments, ...states]);
    if (states.includes(kind)) {
      const ms = 50 + random.below(400);
      const remove = fake.faults.add({ kind });
      timers.add(setTimeout(remove, ms));
      return `${kind} for ${ms} ms`;
    }
    const times = 1 + random.below(3);
    const method = requests.includes(kind) ? random.pick(["GET", "POST", "PATCH", "DELETE", undefined]) : undefined;
    const ms = kind === "rate_limited" ? 1_000 : 20 + random.below(slowMsMax - 20);
    fake.faults.add({ kind, times, ms, ...(method === undefined ? {} : { match: { method } }) });
    return `${kind} ${times} times${method === undefined ? "" : ` on ${method}`}`;
  }

  const inWords = (image: string, memory: string, domains: string | null, addons: string): string =>
    `${image} with ${memory}, addons [${addons}] at ${domains}`;

  return {
    env: {
      RUNTIME: "coolify",
      COOLIFY_URL: fake.url,
      COOLIFY_TOKEN: fake.tokens.all,
      COOLIFY_PROJECT_UUID: fake.projectUuid,
      COOLIFY_SERVER_UUID: fake.serverUuid,
      COOLIFY_ENVIRONMENT_NAME: fake.environmentName,
      REGISTRY_URL: "registry.example.com",
      WILDCARD_DOMAIN: "pods.example.com",
    },
    flavorIds: ["js", "python", "go", "fullstack"],
    addonSets: [[], ["code-server"], ["code-server", "gui"], ["databases"]],
    disturb,

    async calm() {
      for (const timer of timers) clearTimeout(timer);
      fake.faults.clear();
      // What was sent before and is slow has its effect only now.
      await Bun.sleep(slowMsMax);
    },

    actual: (): Actual[] =>
      fake.applications().map(({ name, envs, running }) => ({
        projectId: envs["AGENTPOD_PROJECT_ID"] ?? `no project: ${name}`,
        isRunning: running !== null,
        configuration:
          running &&
          inWords(
            running.image,
            running.limits.limits_memory ?? "",
            running.domains,
            running.env["AGENTPOD_ADDONS"] ?? "",
          ),
      })),

    expected({ imageRef, resourceTierId, addonIds, slug }: Project) {
      const memory = { starter: 2 * MB_PER_GB, builder: 4 * MB_PER_GB }[resourceTierId];
      const host = (prefix: string, port: number) => `https://${prefix}${slug}.pods.example.com:${port}`;
      const addons: Record<string, string> = { "code-server": host("code-", 8080), gui: host("vnc-", 6080) };
      const served = addonIds.flatMap((id) => addons[id] ?? []);
      const domains = [host("", 4096), host("acp-", 4097), ...served].join(",");
      return inWords(imageRef ?? "", `${memory}m`, domains, addonIds.join(","));
    },

    leftovers(projects) {
      const apps = fake.applications().map(({ uuid }) => uuid);
      // When the server goes away between a deletion that was taken and its work, Coolify says nothing of what it left.
      const known = [...apps, ...fake.leftVolumes()];
      const volumes = fake.volumes().filter((volume) => !known.some((name) => volume.startsWith(name)));
      const tooMany = fake.applications().length > projects.length ? ["there are more applications than projects"] : [];
      return [...tooMany, ...volumes.map((volume) => `volume ${volume} is left`)];
    },

    async close() {
      for (const timer of timers) clearTimeout(timer);
      await fake.close();
    },
  };
}

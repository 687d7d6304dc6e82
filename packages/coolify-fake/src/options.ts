export interface ServerOptions {
  name?: string;
  ip?: string;
  /** For domains that Coolify makes up, such as `https://apps.example.com`; null gives sslip.io names. */
  wildcardDomain?: string | null;
  proxyType?: "traefik" | "caddy" | "none";
  queueLimit?: number;
  concurrentBuilds?: number;
  /** Docker takes no larger limit. */
  cpus?: number;
}

export interface CoolifyFakeOptions {
  /** From the start of a deployment's job to its end. */
  deploymentMs?: number;
  /** How long an application's status stays behind the end of its deployment. */
  statusLagMs?: number;
  /** From the request to the deletion itself. */
  deletionMs?: number;
  stopMs?: number;
  /** How long a new container takes to be seen as healthy. */
  healthMs?: number;
  /** null: never refuses. */
  rateLimit?: { perMinute: number } | null;
  /** Deployments that may wait on a server. */
  queueLimit?: number;
  /** Deployments that run at once on a server. */
  concurrentBuilds?: number;
  wildcardDomain?: string | null;
  proxyType?: "traefik" | "caddy" | "none";
  /** One server when left out. The four defaults above count for every server. */
  servers?: ServerOptions[];
  /** 0 takes a free one. */
  port?: number;
  /** Time stands still, and what is to come comes with each call of `step`. */
  isStepped?: boolean;
  /** Makes ids and tokens the same in every run. */
  seed?: number;
}

export type Options = ReturnType<typeof withDefaults>;

export function withDefaults(options: CoolifyFakeOptions) {
  return {
    deploymentMs: options.deploymentMs ?? 20,
    statusLagMs: options.statusLagMs ?? 10,
    deletionMs: options.deletionMs ?? 10,
    stopMs: options.stopMs ?? 10,
    healthMs: options.healthMs ?? 10,
    rateLimit: options.rateLimit ?? null,
    queueLimit: options.queueLimit ?? 25,
    concurrentBuilds: options.concurrentBuilds ?? 2,
    wildcardDomain: options.wildcardDomain === undefined ? "https://apps.example.com" : options.wildcardDomain,
    proxyType: options.proxyType ?? "traefik",
    servers: options.servers ?? [{}],
    port: options.port ?? 0,
    isStepped: options.isStepped ?? false,
    seed: options.seed,
  } as const;
}

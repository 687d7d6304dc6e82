/** What `docker inspect` shows of a container, as far as `docker run` can repeat it. */
export interface Container {
  Config: { Image: string; Env: string[]; Hostname: string; StopTimeout?: number };
  HostConfig: {
    Memory: number;
    MemorySwap: number;
    NanoCpus: number;
    PidsLimit: number | null;
    CapDrop: string[] | null;
    SecurityOpt: string[] | null;
    NetworkMode: string;
    Binds: string[];
    PortBindings: Record<string, { HostIp: string; HostPort: string }[]>;
    LogConfig: { Type: string; Config: Record<string, string> };
    RestartPolicy: { Name: string };
  };
}

/** Runs the docker command; gives what it prints. */
export async function docker(...args: string[]): Promise<string> {
  const child = Bun.spawn(["docker", ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [output, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new Error(`docker ${args[0]} failed: ${errors.trim()}`);
  return output.trim();
}

export async function inspectContainer(name: string): Promise<Container> {
  const [container] = JSON.parse(await docker("inspect", "--type", "container", name)) as Container[];
  if (!container) throw new Error(`there is no container ${name}`);
  return container;
}

/** Whether the engine has an object of that name. */
export async function dockerHas(kind: "image" | "network", name: string): Promise<boolean> {
  return await docker(kind, "inspect", name).then(
    () => true,
    () => false,
  );
}

/** `docker run` with the settings of another container, but with its own name, volume and host ports. */
export function runLike(
  { Config, HostConfig }: Container,
  name: string,
  hostPorts: ReadonlyMap<string, number>,
): string[] {
  const options: [string, string | number | undefined][] = [
    ["name", name],
    ["hostname", Config.Hostname],
    ["memory", HostConfig.Memory],
    ["memory-swap", HostConfig.MemorySwap],
    ["cpus", HostConfig.NanoCpus / 1e9],
    ["pids-limit", HostConfig.PidsLimit ?? undefined],
    ["network", HostConfig.NetworkMode],
    ["restart", HostConfig.RestartPolicy.Name],
    ["stop-timeout", Config.StopTimeout],
    ["log-driver", HostConfig.LogConfig.Type],
    ...Object.entries(HostConfig.LogConfig.Config).map(([key, value]): [string, string] => [
      "log-opt",
      `${key}=${value}`,
    ]),
    ...(HostConfig.CapDrop ?? []).map((value): [string, string] => ["cap-drop", value]),
    ...(HostConfig.SecurityOpt ?? []).map((value): [string, string] => ["security-opt", value]),
    ...HostConfig.Binds.map((bind): [string, string] => ["volume", `${name}:${bind.slice(bind.indexOf(":") + 1)}`]),
    ...Config.Env.map((entry): [string, string] => ["env", entry]),
    ...[...hostPorts].map(([inside, outside]): [string, string] => ["publish", `127.0.0.1:${outside}:${inside}`]),
  ];
  const flags = options.flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`]));
  return ["run", "--detach", ...flags, Config.Image];
}

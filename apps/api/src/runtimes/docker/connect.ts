import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import Dockerode from "dockerode";
import { RuntimeError } from "../runtime.ts";

const TLS_PORT = "2376";

/**
 * A client for the engine that `dockerHost` names in the forms of DOCKER_HOST; nothing is dialled yet.
 * Without one it is this machine's engine. Certificates for TLS come from DOCKER_CERT_PATH, as with
 * the docker command.
 * @throws RuntimeError `unavailable` for an address that cannot be used
 */
export function connectDocker(dockerHost = ""): Dockerode {
  if (dockerHost === "") return overSocket(defaultSocket());
  // A bare host:port is TCP to the docker command too.
  const { scheme, rest } = /^(?<scheme>[a-z]+):\/\/(?<rest>.*)$/i.exec(dockerHost)?.groups ?? {
    scheme: "tcp",
    rest: dockerHost,
  };
  switch (scheme?.toLowerCase()) {
    case "unix":
      return overSocket(rest || defaultSocket());
    case "tcp":
    case "http":
    case "https":
      return overTcp(scheme.toLowerCase(), rest ?? "");
    case "ssh":
      throw unusable("an engine behind ssh:// cannot be used: sandboxes are reached on the engine's own loopback");
    default:
      throw unusable(`DOCKER_HOST has the unknown form ${scheme}://`);
  }
}

/** What the docker command would find: the system's engine, else Docker Desktop's, else a rootless one. */
function defaultSocket(): string {
  const system = "/var/run/docker.sock";
  const others = [join(homedir(), ".docker/run/docker.sock"), `/run/user/${process.getuid?.() ?? 0}/docker.sock`];
  return existsSync(system) ? system : (others.find((path) => existsSync(path)) ?? system);
}

function overSocket(socketPath: string): Dockerode {
  if (!socketPath.startsWith("/")) throw unusable(`DOCKER_HOST names the socket ${socketPath}, not an absolute path`);
  // What is not named here, dockerode would fill in from DOCKER_HOST.
  return new Dockerode({ socketPath, host: undefined, port: undefined, protocol: "http" });
}

function overTcp(scheme: string, rest: string): Dockerode {
  const url = URL.parse(`http://${rest}`);
  if (!url || !url.hostname) throw unusable("DOCKER_HOST is not an address such as tcp://127.0.0.1:2375");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (host !== "localhost" && host !== "::1" && !host.startsWith("127.")) {
    throw unusable(`the engine at ${host} is not on this machine, and sandboxes are reached on its own loopback`);
  }
  const tls = scheme === "https" || url.port === TLS_PORT;
  const port = url.port || (tls ? TLS_PORT : "2375");
  return new Dockerode({ host, port, protocol: tls ? "https" : "http", socketPath: undefined });
}

function unusable(reason: string): RuntimeError {
  return new RuntimeError("unavailable", `${reason}; set DOCKER_HOST to unix:///path/of/docker.sock or leave it out`);
}

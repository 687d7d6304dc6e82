import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface GitServer {
  port: number;
  /** Paths asked for, in order. */
  requests: string[];
  /** Answers before git does; undefined leaves the request to git. */
  intercept: (request: Request) => Response | Promise<Response> | undefined;
  stop: () => Promise<void>;
}

/** Serves one repository, `repo.git` with a file `hello.txt`, by git's own HTTP backend on loopback. */
export async function startGitServer(): Promise<GitServer> {
  const root = await mkdtemp(join(tmpdir(), "agentpod-git-"));
  const work = join(root, "work");
  await git(root, "init", "--quiet", "work");
  await writeFile(join(work, "hello.txt"), "hello\n");
  await git(work, "add", ".");
  await git(work, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "one");
  await git(root, "clone", "--quiet", "--bare", "work", "repo.git");

  const state: GitServer = { port: 0, requests: [], intercept: () => undefined, stop };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    async fetch(request) {
      state.requests.push(new URL(request.url).pathname);
      return (await state.intercept(request)) ?? backend(root, request);
    },
  });
  state.port = server.port ?? 0;

  async function stop(): Promise<void> {
    await server.stop(true);
    await rm(root, { recursive: true, force: true });
  }
  return state;
}

async function git(cwd: string, ...args: string[]): Promise<void> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: cwd, GIT_CONFIG_NOSYSTEM: "1" };
  const child = Bun.spawn(["git", ...args], { cwd, env, stderr: "pipe" });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
}

async function backend(root: string, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const child = Bun.spawn(["git", "http-backend"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: root,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    },
    stdin: new Uint8Array(await request.arrayBuffer()),
    stderr: "ignore",
  });
  const output = Buffer.from(await new Response(child.stdout).arrayBuffer());
  const end = output.indexOf("\r\n\r\n");
  const headers = new Headers();
  let status = 200;
  for (const line of output.toString("latin1", 0, end).split("\r\n")) {
    const [name = "", value = ""] = line.split(/: (.*)/);
    if (name === "Status") status = Number.parseInt(value, 10);
    else headers.set(name, value);
  }
  return new Response(output.subarray(end + 4), { status, headers });
}

import { expect } from "bun:test";
import { mkdtemp, mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileHandler } from "../../../src/file-handler.ts";
import { openLibc } from "../../../src/files/libc.ts";
import { GatewayError } from "../../../src/gateway-error.ts";
import { createFileSurface } from "../../../src/routes/files.ts";
import { type FileChange, fileChange, type FolderPage, folderPage, type Session } from "../../../src/wire/index.ts";
import { serveSurface } from "../../support/surface.ts";

export const SECRET = "outside: this must never be read";

/** How paths are opened: by the kernel's openat2, or name by name where there is none. */
export const WAYS = [
  ["openat2", openLibc()],
  ["name by name", null],
] as const;

/**
 * A workspace and, beside it, a folder that must stay untouched, in which `secret.txt` lies. Served
 * at /v1/fs/; the session ses_1 has its folder `inner`.
 */
export async function openWorld({ libc = openLibc(), fileBytes = 1024 * 1024 } = {}) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "gateway-files-")));
  const [workspace, outside] = [join(folder, "workspace"), join(folder, "outside")];
  await mkdir(join(workspace, ".agentpod/gateway"), { recursive: true });
  await mkdir(join(workspace, "inner"));
  await mkdir(outside);
  await writeFile(join(workspace, ".agentpod/gateway/gateway.sqlite"), SECRET);
  await writeFile(join(outside, "secret.txt"), SECRET);
  await writeFile(join(workspace, "inner/hello.txt"), "hello");
  const protectedFolders = [join(workspace, ".agentpod"), join(workspace, ".agentpod/gateway")];
  const files = createFileHandler({ roots: [workspace], protectedFolders, limits: { fileBytes }, libc });
  const served = serveSurface(createFileSurface({ files, workspace, sessions: { get: sessionOf(workspace) } }));

  /** Sends the path as it is, which fetch would tidy up. */
  function raw(method: string, path: string, headers: Record<string, string> = {}, body = "") {
    const lines = Object.entries({ host: "x", connection: "close", "content-length": `${body.length}`, ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      const socket = connect(served.port, "127.0.0.1", () => {
        socket.write(`${method} ${path} HTTP/1.1\r\n${head}\r\n${body}`);
      });
      let text = "";
      socket.on("data", (data) => (text += data.toString("latin1")));
      socket.on("error", reject);
      socket.on("close", () => resolve({ status: Number(text.split(" ")[1]), text }));
    });
  }

  return {
    files,
    folder,
    workspace,
    outside,
    raw,
    link: (target: string, name: string) => symlink(target, join(workspace, name)),
    call: (path: string, init: RequestInit = {}) => fetch(`${served.url}/v1${path}`, init),
    put: (path: string, body: string, headers: Record<string, string> = {}) =>
      fetch(`${served.url}/v1${path}`, { method: "PUT", body, headers }),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type World = Awaited<ReturnType<typeof openWorld>>;

function sessionOf(workspace: string) {
  return (id: string): Session => {
    if (id !== "ses_1") throw new GatewayError("session_not_found", "no such session");
    return {
      id,
      agent: "opencode",
      agentSessionId: null,
      cwd: join(workspace, "inner"),
      additionalDirectories: [],
      mcpServers: [],
      env: [],
      title: null,
      status: "idle",
      modes: null,
      configOptions: [],
      availableCommands: [],
      usage: null,
      permissionPolicy: { mode: "ask" },
      queuePolicy: "queue",
      runningPromptId: null,
      queuedPrompts: 0,
      pendingPermissions: 0,
      pendingElicitations: 0,
      lastSeq: 0,
      createdAt: new Date(0).toISOString(),
      updatedAt: new Date(0).toISOString(),
      error: null,
    };
  };
}

/** Nothing beside the workspace was changed, and of the gateway's own folder neither. */
export async function expectUntouched(world: World): Promise<void> {
  expect(await readdir(world.outside)).toEqual(["secret.txt"]);
  expect(await readFile(join(world.outside, "secret.txt"), "utf8")).toBe(SECRET);
  expect(await readdir(join(world.workspace, ".agentpod/gateway"))).toEqual(["gateway.sqlite"]);
  expect(await readFile(join(world.workspace, ".agentpod/gateway/gateway.sqlite"), "utf8")).toBe(SECRET);
}

export const pageOf = async (answer: Response): Promise<FolderPage> => folderPage.parse(await answer.json());
export const changeOf = async (answer: Response): Promise<FileChange> => fileChange.parse(await answer.json());

/** The stable code of a problem, with its status. */
export async function refusal(answer: Response): Promise<[number, string]> {
  const body: unknown = await answer.json();
  const code = typeof body === "object" && body !== null && "code" in body ? String(body.code) : "";
  return [answer.status, code];
}

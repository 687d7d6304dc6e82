import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type ApiProcess, call, newDataDir, removeDataDir, startApi } from "../support/api-process.ts";
import { processLeftovers } from "../support/leftovers.ts";
import { createRandom } from "../support/random.ts";
import { until } from "../support/wait.ts";

const light = "apps/api/tests/support/light-api.ts";
const dying = "apps/api/tests/support/dying-commit.ts";
const halting = "apps/api/tests/support/halting-api.ts";

const started: ApiProcess[] = [];
const dataDirs = new Set<string>();
afterEach(async () => {
  for (const api of started.splice(0)) await api.end("SIGKILL");
  for (const dataDir of dataDirs) removeDataDir(dataDir);
  dataDirs.clear();
});

async function start(dataDir: string, entry: string, env: Record<string, string> = {}): Promise<ApiProcess> {
  dataDirs.add(dataDir);
  const api = await startApi({ dataDir, entry, env: { RUNTIME: "process", ...env } });
  started.push(api);
  return api;
}

const bodyOf = (key: string) => ({ name: `Project of ${key}`, flavorId: "js", addonIds: [] });
const create = (url: string, key: string, more: Record<string, string> = {}) =>
  call(url, "POST", "/api/projects", bodyOf(key), { "idempotency-key": `"${key}"`, ...more });
const projectsOf = async (url: string, headers: Record<string, string> = {}) =>
  (await call(url, "GET", "/api/projects?limit=200", undefined, headers)).body.projects;

/** Waits until all projects run, then deletes them, so that no sandbox outlives the test. */
async function deleteAll({ url, dataDir }: ApiProcess, headers: Record<string, string> = {}): Promise<void> {
  const projects = await until("all run", async () => {
    const listed = await projectsOf(url, headers);
    expect(listed.filter(({ status }) => status === "error")).toEqual([]);
    return listed.every(({ status }) => status === "running") ? listed : undefined;
  });
  const ids = projects.map(({ id }) => id);
  for (const id of ids) {
    const removal = await call(url, "DELETE", `/api/projects/${id}`, undefined, { prefer: "wait=60", ...headers });
    expect([removal.status, removal.body]).toMatchObject([204, {}]);
  }
  expect(ids.flatMap((id) => processLeftovers(id, dataDir))).toEqual([]);
}

describe("1,000 creates with 20 shared keys from 50 clients", () => {
  test("make exactly 20 projects, and all who sent a key are answered the same", async () => {
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
    const dataDir = newDataDir();
    const api = await start(dataDir, light);
    const client = async (seed: number) => {
      const { below } = createRandom(seed);
      const answers = [];
      for (const rest = [...keys]; rest.length > 0;) {
        const [key = ""] = rest.splice(below(rest.length), 1);
        answers.push({ key, ...(await create(api.url, key)) });
      }
      return answers;
    };
    const clients = await Promise.all(Array.from({ length: 50 }, (_, seed) => client(seed)));
    const answers = clients.flat();
    expect(answers).toHaveLength(1000);
    for (const key of keys) {
      const same = answers.filter((answer) => answer.key === key);
      const [first] = same;
      if (first === undefined) throw new Error(`no answer for ${key}`);
      expect(first.body.project).toMatchObject({ name: `Project of ${key}`, status: "creating" });
      for (const { status, headers, body } of same) {
        expect([status, headers.get("location")]).toEqual([201, `/api/projects/${first.body.project.id}`]);
        expect(body).toEqual(first.body);
      }
      const replayed = same.map(({ headers }) => headers.get("idempotency-replayed"));
      expect([replayed.length, replayed.filter((value) => value === "true").length]).toEqual([50, 49]);
    }
    const ids = new Set(answers.map(({ body }) => body.project.id));
    expect(ids.size).toBe(20);

    expect(new Set((await projectsOf(api.url)).map(({ id }) => id))).toEqual(ids);
    const db = new Database(join(dataDir, "agentpod.db"), { readonly: true });
    const counts = ["projects", "operations", "idempotency_keys"].map(
      (table) => db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get()?.n,
    );
    db.close();
    expect(counts).toEqual([20, 20, 20]);
    expect(api.output()).not.toContain("database is locked");
    await deleteAll(api);
  }, 60_000);
});

describe("kill -9 of the API", () => {
  test.each([
    ["before", null],
    ["after", "true"],
  ])(
    "right %s the commit of a create, which nobody is told: the repeat has the one project",
    async (at, replayed) => {
      const dataDir = newDataDir();
      const first = await start(dataDir, dying, { DIE_AT: at });
      const lost = await create(first.url, "k1").then(
        ({ status }) => `answered ${status}`,
        () => "lost",
      );
      expect(lost).toBe("lost");
      await first.end("SIGKILL");

      const second = await start(dataDir, light);
      expect(await projectsOf(second.url)).toHaveLength(replayed === null ? 0 : 1);
      const again = await create(second.url, "k1");
      expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([201, replayed]);
      expect((await projectsOf(second.url)).map(({ id }) => id)).toEqual([again.body.project.id]);
      const ended = await create(second.url, "k1", { prefer: "wait=60" });
      expect(ended.body).toMatchObject({
        project: { id: again.body.project.id, status: "running" },
        operation: { id: again.body.operation.id, status: "succeeded" },
      });
      await deleteAll(second);
    },
    60_000,
  );

  test("while a create is waited for: the repeat waits on for the same one", async () => {
    const dataDir = newDataDir();
    const first = await start(dataDir, halting, { HALT_AT: "create:conclude" });
    const waiting = { prefer: "wait=60" };
    const lost = create(first.url, "k1", waiting).then(
      ({ status }) => `answered ${status}`,
      () => "lost",
    );
    await until("the create is at work", () => (first.output().includes('"msg":"halted"') ? true : undefined));
    await first.end("SIGKILL");
    expect(await lost).toBe("lost");

    const second = await start(dataDir, halting);
    const again = await create(second.url, "k1", waiting);
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([201, "true"]);
    expect(again.body).toMatchObject({ project: { status: "running" }, operation: { status: "succeeded" } });
    expect((await projectsOf(second.url)).map(({ id }) => id)).toEqual([again.body.project.id]);
    const plain = await create(second.url, "k1");
    expect(plain.body.project).toMatchObject({ id: again.body.project.id, status: "creating" });
    await deleteAll(second);
  }, 60_000);

  test("at any moment of a create, which is sent until it is answered, leaves one project", async () => {
    const dataDir = newDataDir();
    const total = 8;
    for (let index = 0; index < total; index += 1) {
      const key = `k${index}`;
      const first = await start(dataDir, light);
      const sent = create(first.url, key).then(
        ({ body }) => body.project.id,
        () => undefined,
      );
      await Bun.sleep(index * 3);
      await first.end("SIGKILL");
      const told = await sent;
      const second = await start(dataDir, light);
      const again = await create(second.url, key);
      expect(again.status).toBe(201);
      if (told !== undefined) expect(again.body.project.id).toBe(told);
      const named = (await projectsOf(second.url)).filter(({ name }) => name === bodyOf(key).name);
      expect(named.map(({ id }) => id)).toEqual([again.body.project.id]);
      await second.end("SIGTERM");
    }
    const last = await start(dataDir, light);
    expect(await projectsOf(last.url)).toHaveLength(total);
    await deleteAll(last);
  }, 60_000);
});

describe("a restart of the API", () => {
  test("keeps keys, each for its own caller", async () => {
    const dataDir = newDataDir();
    const first = await start(dataDir, light);
    const made = await create(first.url, "k1");
    await first.end("SIGTERM");
    const second = await start(dataDir, light);
    const again = await create(second.url, "k1");
    expect([again.status, again.body, again.headers.get("idempotency-replayed")]).toEqual([201, made.body, "true"]);
    const other = await call(second.url, "POST", "/api/projects", bodyOf("k2"), { "idempotency-key": "k1" });
    expect([other.status, other.body.code]).toEqual([422, "idempotency_key_reused"]);
    await second.end("SIGTERM");

    const token = "a-token-that-is-long-enough";
    const authorization = { authorization: `Bearer ${token}` };
    const third = await start(dataDir, light, { API_TOKEN: token });
    expect((await create(third.url, "k1")).status).toBe(401);
    const own = await create(third.url, "k1", authorization);
    expect([own.status, own.headers.get("idempotency-replayed")]).toEqual([201, null]);
    expect(own.body.project.id).not.toBe(made.body.project.id);
    expect(await projectsOf(third.url, authorization)).toHaveLength(2);
    await deleteAll(third, authorization);
  }, 60_000);
});

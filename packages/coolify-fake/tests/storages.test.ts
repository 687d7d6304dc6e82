import { afterAll, expect, test } from "bun:test";
import { expectWire } from "./support/expect-wire.ts";
import { world } from "./support/world.ts";

const { fake, call, create, start, ended } = world();
afterAll(() => fake.close());

const volume = (name: string, mount_path: string) => ({ type: "persistent", name, mount_path });

test("the same name twice is a 500, in another application it is not; the same path twice is taken", async () => {
  const uuid = await create();
  const add = (to: string, name: string, path: string) =>
    call("POST", `/applications/${to}/storages`, volume(name, path));
  expectWire((await add(uuid, "work", "/work")).json["name"]).toBe(`${uuid}-work`);
  expect((await add(uuid, "work", "/other")).status).toBe(500);
  expect((await add(uuid, "again", "/work")).status).toBe(201);
  expect((await add(await create(), "work", "/work")).status).toBe(201);
  expect((await call("GET", `/applications/${uuid}/storages`)).json["persistent_storages"]).toHaveLength(2);
});

test("docker keeps a volume when its storage is removed", async () => {
  const uuid = await create();
  const { json } = await call("POST", `/applications/${uuid}/storages`, volume("work", "/work"));
  await ended(await start(uuid));
  const path = `/applications/${uuid}/storages/${json["uuid"]}`;
  expect((await call("DELETE", path)).status).toBe(200);
  expect(fake.volumes()).toContain(`${uuid}-work`);
  expectWire((await call("DELETE", path)).json).toEqual({ message: "Storage not found." });
});

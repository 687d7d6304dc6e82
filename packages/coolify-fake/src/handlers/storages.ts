import { created, invalid, ok, refuse, says, SERVER_ERROR } from "../answer.ts";
import { applicationOf, type Handler } from "../call.ts";
import { type Body, strictBody } from "../rules/body.ts";
import { checkFields, flag, text } from "../rules/fields.ts";
import type { Application } from "../state.ts";
import { applicationOfStorage } from "../views/application.ts";
import { fileInList, newFile, newVolume, volumeInList } from "../views/storage.ts";
import { stamps, timestamp, type World } from "../world.ts";

const FIELDS = {
  type: text({ oneOf: ["persistent", "file"] }),
  name: text({ pattern: /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, max: 255 }),
  mount_path: text(),
  host_path: text({ nullable: true }),
  content: text({ nullable: true }),
  is_directory: flag,
  fs_path: text({ nullable: true }),
};

export const listStorages: Handler = (world, call) => {
  const application = applicationOf(world, call);
  return ok({
    persistent_storages: application.volumes.map((volume) => volumeInList(volume, application)),
    file_storages: application.files.map((file) => fileInList(file, application)),
  });
};

export const createStorage: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  const application = applicationOf(world, call);
  checkFields(body, FIELDS, ["type", "mount_path"]);
  return body["type"] === "file" ? createFile(world, application, body) : createVolume(world, application, body);
};

/** The name, if sent, is taken as it is: no prefix. */
export const patchStorage: Handler = (world, call) => {
  const body = strictBody(call.raw, call.headers);
  const application = applicationOf(world, call);
  checkFields(body, { ...FIELDS, uuid: text() }, ["type"]);
  if (body["uuid"] === undefined) refuse(invalid({ uuid: "Either uuid or id is required." }));
  const volume = application.volumes.find(({ uuid }) => uuid === body["uuid"]);
  if (!volume) refuse(says(404, "Storage not found."));
  for (const field of ["name", "mount_path", "host_path"] as const) {
    const value = body[field];
    if (typeof value === "string") volume[field] = value;
  }
  volume.updated_at = timestamp();
  return ok({ ...volumeInList(volume, application), resource: applicationOfStorage(world, application) });
};

/** Docker keeps its volume. */
export const deleteStorage: Handler = (world, call) => {
  const { volumes, files } = applicationOf(world, call);
  for (const storages of [volumes, files]) {
    const at = storages.findIndex(({ uuid }) => uuid === call.params["storage"]);
    if (at === -1) continue;
    storages.splice(at, 1);
    return says(200, "Storage deleted.");
  }
  return says(404, "Storage not found.");
};

function createVolume(world: World, application: Application, body: Body) {
  if (typeof body["name"] !== "string") {
    refuse(invalid({ name: "The name field is required for persistent storages." }));
  }
  const name = `${application.uuid}-${body["name"]}`;
  if (application.volumes.some((volume) => volume.name === name)) refuse(SERVER_ERROR);
  const volume = {
    id: world.ids.next("volume"),
    uuid: world.ids.uuid(),
    name,
    mount_path: String(body["mount_path"]),
    host_path: (body["host_path"] ?? null) as string | null,
    ...stamps(),
  };
  application.volumes.push(volume);
  return created(newVolume(volume, application));
}

function createFile(world: World, application: Application, body: Body) {
  const mountPath = String(body["mount_path"]);
  const isDirectory = body["is_directory"] === true;
  const file = {
    id: world.ids.next("file"),
    uuid: world.ids.uuid(),
    fs_path: isDirectory ? String(body["fs_path"]) : `/data/coolify/applications/${application.uuid}${mountPath}`,
    mount_path: mountPath,
    content: isDirectory ? null : ((body["content"] ?? null) as string | null),
    is_directory: isDirectory,
    ...stamps(),
  };
  application.files.push(file);
  return created(newFile(world, file, application));
}

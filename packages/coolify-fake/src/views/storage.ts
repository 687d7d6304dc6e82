import type { Application, FileStorage, Volume } from "../state.ts";
import type { World } from "../world.ts";
import { applicationOfStorage } from "./application.ts";

const RESOURCE_TYPE = "App\\Models\\Application";

export const volumeInList = (volume: Volume, { id }: Application) => ({
  id: volume.id,
  name: volume.name,
  mount_path: volume.mount_path,
  host_path: volume.host_path,
  container_id: null,
  resource_type: RESOURCE_TYPE,
  resource_id: id,
  created_at: volume.created_at,
  updated_at: volume.updated_at,
  is_preview_suffix_enabled: true,
  uuid: volume.uuid,
});

/** A volume in the answer that created it. */
export function newVolume(volume: Volume, application: Application) {
  const { container_id: _, is_preview_suffix_enabled: __, ...shown } = volumeInList(volume, application);
  return shown;
}

export const fileInList = (file: FileStorage, { id }: Application) => ({
  ...file,
  resource_type: RESOURCE_TYPE,
  resource_id: id,
  chown: null,
  chmod: null,
  is_based_on_git: false,
  is_preview_suffix_enabled: true,
  is_host_file: false,
  is_binary: false,
  is_too_large: false,
});

/** A file or directory in the answer that created it. */
export function newFile(world: World, file: FileStorage, application: Application) {
  const { content, ...rest } = file;
  return {
    ...rest,
    ...(file.is_directory ? {} : { content }),
    resource_id: application.id,
    resource_type: RESOURCE_TYPE,
    is_binary: false,
    is_too_large: false,
    service: null,
    resource: applicationOfStorage(world, application),
  };
}

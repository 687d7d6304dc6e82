import { unsafeValue } from "./errors.ts";
import { mountPathProblem, storageNameProblem, textProblem } from "./guards.ts";
import { Said, Storage, StorageList } from "./schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";

export interface NewStorage {
  /** Coolify puts the application's uuid and a dash in front. */
  name: string;
  mount_path: string;
}

const all = "/applications/{uuid}/storages";

export function createStorages({ ask }: Transport) {
  return {
    listStorages: (uuid: string, options: CallOptions = {}): Promise<StorageList> =>
      ask({ method: "GET", route: all, parameters: { uuid }, ...options }, StorageList),

    /**
     * A named volume, mounted at the next start. A name that is taken is a `server_error`, the same mount path twice is
     * accepted: list them first.
     */
    async createStorage(uuid: string, { name, mount_path }: NewStorage, options: CallOptions = {}): Promise<Storage> {
      const errors = [
        { path: "name", message: textProblem(name, storageNameProblem) },
        { path: "mount_path", message: textProblem(mount_path, mountPathProblem) },
      ].flatMap(({ path, message }) => (message === null ? [] : [{ path, message }]));
      if (errors.length > 0) throw unsafeValue(errors);
      const body = { type: "persistent", name, mount_path };
      return ask({ method: "POST", route: all, parameters: { uuid }, body, ...options }, Storage);
    },

    /** The Docker volume itself stays for now. */
    async deleteStorage(uuid: string, storageUuid: string, options: CallOptions = {}): Promise<void> {
      const parameters = { uuid, storage_uuid: storageUuid };
      await ask({ method: "DELETE", route: `${all}/{storage_uuid}`, parameters, ...options }, Said);
    },
  };
}

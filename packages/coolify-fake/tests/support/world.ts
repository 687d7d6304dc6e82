import { type CoolifyFake, type CoolifyFakeOptions, startCoolifyFake } from "../../src/index.ts";
import { type Json, request, until } from "./wait.ts";

/** A fake with what the tests do with it again and again. */
export function world(options: CoolifyFakeOptions = {}) {
  const fake = startCoolifyFake(options);
  const call = (method: string, path: string, body?: unknown) => request(fake, method, path, body);
  const snapshot = (uuid: string) => {
    const found = fake.applications().find((application) => application.uuid === uuid);
    if (!found) throw new Error(`no application ${uuid}`);
    return found;
  };
  return {
    fake,
    call,
    snapshot,
    /** An application with a health check, on port 4096. */
    create: async (fields: Record<string, unknown> = {}): Promise<string> => {
      const { status, json } = await call("POST", "/applications/dockerimage", newApplication(fake, fields));
      if (status !== 201) throw new Error(JSON.stringify(json));
      return String(json["uuid"]);
    },
    /** Its deployment's id, or null when the answer has none. */
    start: async (uuid: string, query = ""): Promise<string | null> => {
      const { json } = await call("POST", `/applications/${uuid}/start${query}`);
      return json["deployment_uuid"] ?? null;
    },
    ended: async (deployment: string | null): Promise<Json> => {
      let found: Json | undefined;
      await until("the end of the deployment", async () => {
        found = (await call("GET", `/deployments/${deployment}`)).json;
        return !/^(?:queued|in_progress)$/.test(String(found["status"]));
      });
      return found as Json;
    },
    status: (uuid: string, wanted: string) => until(wanted, () => snapshot(uuid).status === wanted),
  };
}

export const newApplication = (fake: CoolifyFake, fields: Record<string, unknown> = {}) => ({
  project_uuid: fake.projectUuid,
  server_uuid: fake.serverUuid,
  environment_name: fake.environmentName,
  docker_registry_image_name: "ghcr.io/acme/agent",
  docker_registry_image_tag: "v1",
  ports_exposes: "4096",
  health_check_enabled: true,
  autogenerate_domain: false,
  ...fields,
});

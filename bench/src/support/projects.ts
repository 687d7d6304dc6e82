const configuration = { flavorId: "js", addonIds: [] };

export interface CreatedProject {
  id: string;
  /** The gateway's, on this host's loopback. */
  gatewayPort: number;
}

interface ProjectAnswer {
  project: { id: string; ports: { name: string; hostPort: number | null }[] };
}

/** Asks the API for a project of flavor js without addons; answers while it is being made. */
export async function createProject(apiUrl: string, name: string): Promise<CreatedProject> {
  const { project } = (await post(`${apiUrl}/api/projects`, { name, ...configuration })) as ProjectAnswer;
  const gatewayPort = project.ports.find((port) => port.name === "gateway")?.hostPort;
  if (typeof gatewayPort !== "number") throw new Error("the project has no port for its gateway");
  return { id: project.id, gatewayPort };
}

/** The image such a project is made from. */
export async function resolveImageRef(apiUrl: string): Promise<string> {
  const { imageRef } = (await post(`${apiUrl}/api/images/resolve`, configuration)) as { imageRef: string };
  return imageRef;
}

/** Waits until the work on a project is done, and says how it ended. */
export async function settled(apiUrl: string, id: string): Promise<string> {
  for (;;) {
    const response = await fetch(`${apiUrl}/api/projects/${id}/status`);
    const { operation } = (await response.json()) as { operation: { status: string } | null };
    if (operation?.status !== "pending" && operation?.status !== "running") return operation?.status ?? "none";
    await Bun.sleep(25);
  }
}

/** Deletes a project with everything it has; returns when it is gone. */
export async function deleteProject(apiUrl: string, id: string): Promise<void> {
  await settled(apiUrl, id);
  const response = await fetch(`${apiUrl}/api/projects/${id}`, { method: "DELETE", headers: { prefer: "wait=60" } });
  if (response.status !== 204)
    throw new Error(`DELETE of project ${id} answered ${response.status}: ${await response.text()}`);
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

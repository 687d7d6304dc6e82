import { createProject } from "./projects.ts";

const projectCount = 20;

export interface Operations {
  projectIds: readonly string[];
  /** Deploys the projects anew, each one time after time; resolves when all has been done. */
  run: (count: number, signal: AbortSignal) => Promise<void>;
}

/** Makes projects for operations to be about. */
export async function createOperations(apiUrl: string): Promise<Operations> {
  const projects = Array.from({ length: projectCount }, (_, index) => createProject(apiUrl, `Busy ${index}`));
  const projectIds = (await Promise.all(projects)).map(({ id }) => id);
  return {
    projectIds,
    async run(count, signal) {
      const each = count / projectIds.length;
      const deployAll = async (id: string) => {
        for (let done = 0; done < each; done += 1) await deploy(apiUrl, id, signal);
      };
      await Promise.all(projectIds.map(deployAll));
    },
  };
}

async function deploy(apiUrl: string, id: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${apiUrl}/api/projects/${id}/deploy`, {
    method: "POST",
    headers: { prefer: "wait=100" },
    signal,
  });
  const { operation } = (await response.json()) as { operation?: { status: string } };
  if (operation?.status !== "succeeded")
    throw new Error(`a deploy answered ${response.status}, its operation ${operation?.status}`);
}

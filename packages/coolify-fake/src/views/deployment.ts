import type { Deployment } from "../state.ts";
import type { World } from "../world.ts";
import { applicationInDeployment } from "./application.ts";

/** GET /deployments/{uuid}. */
export const deploymentAlone = (world: World, deployment: Deployment, sensitive: boolean) => ({
  ...deploymentInList(deployment, sensitive),
  application: applicationInDeployment(world, deployment.application),
});

/** An element of the lists of deployments; the log is shown only with read:sensitive or root. */
export function deploymentInList(deployment: Deployment, sensitive: boolean) {
  const { application, uuid } = deployment;
  const { environment, destination } = application;
  const page = `/project/${environment.project.uuid}/environment/${environment.uuid}/application/${application.uuid}`;
  return {
    id: deployment.id,
    application_id: String(application.id),
    application_name: application.columns.name,
    build_server_id: null,
    commit: "HEAD",
    commit_message: null,
    configuration_hash: deployment.configurationHash,
    current_process_id: deployment.processId,
    deployment_url: `${page}/deployment/${uuid}`,
    deployment_uuid: uuid,
    destination_id: String(destination.id),
    docker_registry_image_tag: null,
    finished_at: deployment.finishedAt,
    force_rebuild: deployment.force,
    git_type: null,
    horizon_job_id: deployment.jobId,
    horizon_job_worker: deployment.jobId === null ? null : "vm",
    is_api: true,
    is_webhook: false,
    ...(sensitive ? { logs: deployment.logs } : {}),
    only_this_server: false,
    pull_request_id: 0,
    restart_only: deployment.restartOnly,
    rollback: false,
    server_id: destination.server.id,
    server_name: destination.server.name,
    status: deployment.status,
    created_at: deployment.created_at,
    updated_at: deployment.updated_at,
  };
}

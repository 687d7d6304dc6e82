export type { ApplicationPatch, NewApplication } from "./application-fields.ts";
export type { ApplicationLeftovers, Trigger } from "./applications.ts";
export { type CoolifyClient, createCoolifyClient } from "./client.ts";
export { currentDeployment } from "./current-deployment.ts";
export { deploymentFailure } from "./deployment-failure.ts";
export type { DeployedResource, DeployTarget } from "./deployments.ts";
export { type Domain, domainList, domainsProblem, portList } from "./domains.ts";
export type { EnvPair } from "./envs.ts";
export { CoolifyError, type CoolifyFailure, coolifyFailures, type DomainConflict, type FieldError } from "./errors.ts";
export {
  appNameProblem,
  descriptionProblem,
  envKeyProblem,
  envValueProblem,
  healthPathProblem,
  isSafeEnvValue,
  mountPathProblem,
  storageNameProblem,
} from "./guards.ts";
export { type ImageFields, imageReference, imageText } from "./image-reference.ts";
export { cpuLimit, memoryLimit } from "./limits.ts";
export { COOLIFY_VERSION_MIN, type Preflight } from "./preflight.ts";
export type {
  Application,
  Created,
  Deployment,
  DeploymentStatus,
  Destination,
  Environment,
  EnvironmentDetail,
  EnvVariable,
  Project,
  Server,
  Storage,
  StorageList,
} from "./schemas.ts";
export type { CallOptions, CoolifyCall, CoolifyOptions } from "./transport.ts";

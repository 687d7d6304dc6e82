export {
  createRegistryClient,
  type PublishedImage,
  type RegistryClient,
  type RegistryClientOptions,
} from "./client.ts";
export { type Credentials, credentialsFrom, type CredentialsOf } from "./credentials.ts";
export { RegistryError, type RegistryFailure, registryFailures } from "./errors.ts";
export { type ImageReference, isRegistryPrefix, parseImageReference } from "./reference.ts";

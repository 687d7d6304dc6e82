/** What a project's gateway token is sealed for: moved to another row it does not open. */
export const gatewayTokenContext = (projectId: string): string => `projects/${projectId}/gateway_token`;

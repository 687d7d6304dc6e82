/**
 * Labels that let a Traefik beside the engine route a sandbox's public URLs. Traefik itself needs the
 * host's network: the sandboxes' own lets no container reach another.
 * @param domainsConfig comma list of `https://host:containerPort`
 */
export function traefikLabels(name: string, network: string, domainsConfig: string): Record<string, string> {
  const routes = domainsConfig.split(",").flatMap((entry) => {
    const url = URL.parse(entry.trim());
    return url?.port ? [{ host: url.hostname, port: url.port }] : [];
  });
  if (routes.length === 0) return {};
  const labels: Record<string, string> = { "traefik.enable": "true", "traefik.docker.network": network };
  for (const { host, port } of routes) {
    const service = `${name}-${port}`;
    const router = `traefik.http.routers.${service}`;
    labels[`${router}.rule`] = `Host(\`${host}\`)`;
    labels[`${router}.entrypoints`] = "websecure";
    labels[`${router}.tls`] = "true";
    labels[`${router}.service`] = service;
    labels[`traefik.http.services.${service}.loadbalancer.server.port`] = port;
  }
  return labels;
}

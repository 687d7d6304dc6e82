import type { Application } from "../state.ts";

/** The labels both proxies read, as Coolify makes them of an application's domains and first port. */
export function generatedLabels({ uuid, columns, settings }: Application): string {
  const traefik: string[] = [];
  const caddy: string[] = [];
  const services: string[] = [];
  const redirects = settings.is_force_https_enabled;
  const auth = basicAuthOf(columns);
  for (const [index, domain] of (columns.fqdn?.split(",") ?? []).entries()) {
    const url = new URL(domain);
    const path = url.pathname === "/" ? "/" : url.pathname.replace(/\/$/, "");
    const port = /^https?:\/\/[^/]*:(\d+)/.exec(domain)?.[1] ?? columns.ports_exposes?.split(",")[0] ?? null;
    for (const entry of url.protocol === "https:" ? ["http", "https"] : ["http"]) {
      const router = `traefik.http.routers.${entry}-${index}-${uuid}`;
      const middlewares = entry === "http" && url.protocol === "https:" && redirects ? ["redirect-to-https"] : [];
      if (middlewares.length === 0) {
        if (settings.is_gzip_enabled) middlewares.push("gzip");
        if (path !== "/" && settings.is_stripprefix_enabled) middlewares.push(`${entry}-${index}-${uuid}-stripprefix`);
        if (auth) middlewares.push(`http-basic-auth-${uuid}`);
      }
      traefik.push(`${router}.entryPoints=${entry}`);
      if (middlewares.length > 0) traefik.push(`${router}.middlewares=${middlewares.join(",")}`);
      traefik.push(`${router}.rule=Host(\`${url.hostname}\`) && PathPrefix(\`${path}\`)`);
      if (port) {
        traefik.push(`${router}.service=${entry}-${index}-${uuid}`);
        services.push(`traefik.http.services.${entry}-${index}-${uuid}.loadbalancer.server.port=${port}`);
      }
      if (entry === "https") traefik.push(`${router}.tls.certresolver=letsencrypt`, `${router}.tls=true`);
    }
    const caddyAt = `caddy_${index}`;
    caddy.push(
      `${caddyAt}.encode=zstd gzip`,
      `${caddyAt}.handle_path.${index}_reverse_proxy={{upstreams${port ? ` ${port}` : ""}}}`,
      `${caddyAt}.handle_path=${path === "/" ? "" : path}/*`,
      `${caddyAt}.header=-Server`,
      `${caddyAt}.try_files={path} /index.html /index.php`,
      ...(auth ? [`${caddyAt}.basicauth.${auth.replace("=", '="')}"`] : []),
      `${caddyAt}=${url.protocol}//${url.hostname}`,
    );
  }
  return [
    "traefik.enable=true",
    "traefik.http.middlewares.gzip.compress=true",
    ...(redirects ? ["traefik.http.middlewares.redirect-to-https.redirectscheme.scheme=https"] : []),
    ...(auth ? [`traefik.http.middlewares.http-basic-auth-${uuid}.basicauth.users=${auth.replace("=", ":")}`] : []),
    ...traefik.toSorted(),
    ...services.toSorted(),
    ...caddy,
    "caddy_ingress_network=coolify",
  ].join("\n");
}

/** `<user>=<hash>`; the hash only has to look like one. */
function basicAuthOf(columns: Application["columns"]): string | null {
  const {
    is_http_basic_auth_enabled: on,
    http_basic_auth_username: user,
    http_basic_auth_password: password,
  } = columns;
  if (!on || !user || !password) return null;
  return `${user}=$2y$10$${Bun.hash(password).toString(36)}`;
}

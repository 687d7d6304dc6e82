import type { Destination, Server } from "../state.ts";
import { databaseTime, isReachable, type World } from "../world.ts";

/** Team 0, to which all tokens belong. */
export const TEAM = { id: 0, name: "Root Team", description: "The root team", personal_team: true } as const;

/** An element of GET /servers. */
export function serverInList(world: World, server: Server, sensitive: boolean) {
  const { uuid, name, ip } = server;
  return {
    uuid,
    description: "test server",
    name,
    ip,
    is_coolify_host: server.id === 0,
    is_reachable: isReachable(world),
    is_usable: true,
    port: 22,
    proxy: { redirect_enabled: true },
    settings: serverSettings(world, server, sensitive),
    user: "root",
  };
}

/** GET /servers/{uuid}. */
export function serverAlone(world: World, server: Server, sensitive: boolean) {
  const { id: _, ...row } = serverRow(world, server, sensitive);
  return row;
}

/** A server as it stands within other answers. */
export function serverRow(world: World, server: Server, sensitive: boolean) {
  return {
    id: server.id,
    uuid: server.uuid,
    name: server.name,
    description: "test server",
    ip: server.ip,
    port: 22,
    user: "root",
    team_id: TEAM.id,
    private_key_id: 0,
    proxy: { type: proxyTypeOf(world, server), status: "running", redirect_enabled: true },
    created_at: server.created_at,
    updated_at: server.updated_at,
    unreachable_notification_sent: false,
    unreachable_count: 0,
    high_disk_usage_notification_sent: false,
    log_drain_notification_sent: false,
    swarm_cluster: null,
    validation_logs: null,
    sentinel_updated_at: databaseTime(new Date(server.created_at)),
    deleted_at: null,
    ip_previous: null,
    hetzner_server_id: null,
    cloud_provider_token_id: null,
    hetzner_server_status: null,
    is_validating: false,
    detected_traefik_version: null,
    traefik_outdated_info: null,
    server_metadata: null,
    vultr_instance_id: null,
    vultr_instance_status: null,
    digitalocean_droplet_id: null,
    digitalocean_droplet_status: null,
    is_coolify_host: server.id === 0,
    settings: serverSettings(world, server, sensitive),
  };
}

export function destinationRow(destination: Destination) {
  const { id, name, uuid, network, server, created_at, updated_at } = destination;
  return { id, name, uuid, network, server_id: server.id, created_at, updated_at };
}

/** An element of GET /servers/{uuid}/destinations. */
export function destinationInList({ uuid, name, network, server, created_at, updated_at }: Destination) {
  return { uuid, name, network, type: "standalone", server_uuid: server.uuid, created_at, updated_at };
}

const proxyTypeOf = ({ faults }: World, server: Server) => (faults.holds("proxy_none") ? "NONE" : server.proxyType);

function serverSettings(world: World, server: Server, sensitive: boolean) {
  return {
    id: server.id + 1,
    is_swarm_manager: false,
    is_jump_server: false,
    is_build_server: false,
    is_reachable: isReachable(world),
    is_usable: true,
    server_id: server.id,
    created_at: server.created_at,
    updated_at: server.updated_at,
    wildcard_domain: server.wildcardDomain,
    is_cloudflare_tunnel: false,
    is_logdrain_newrelic_enabled: false,
    logdrain_newrelic_base_uri: null,
    is_logdrain_highlight_enabled: false,
    logdrain_highlight_project_id: null,
    is_logdrain_axiom_enabled: false,
    logdrain_axiom_dataset_name: null,
    is_swarm_worker: false,
    is_logdrain_custom_enabled: false,
    concurrent_builds: server.concurrentBuilds,
    dynamic_timeout: 3600,
    force_disabled: false,
    is_metrics_enabled: false,
    generate_exact_labels: false,
    force_docker_cleanup: true,
    docker_cleanup_frequency: "0 0 * * *",
    docker_cleanup_threshold: 80,
    server_timezone: "UTC",
    delete_unused_volumes: false,
    delete_unused_networks: false,
    is_sentinel_enabled: false,
    sentinel_metrics_refresh_rate_seconds: 10,
    sentinel_metrics_history_days: 7,
    sentinel_push_interval_seconds: 60,
    server_disk_usage_notification_threshold: 80,
    is_sentinel_debug_enabled: false,
    server_disk_usage_check_frequency: "0 23 * * *",
    is_terminal_enabled: true,
    deployment_queue_limit: server.queueLimit,
    disable_application_image_retention: false,
    connection_timeout: 10,
    docker_version: null,
    docker_version_checked_at: null,
    compose_version: null,
    compose_version_checked_at: null,
    backup_compression_cpu_percentage: 25,
    ...(sensitive ? sensitiveSettings(world) : {}),
  };
}

const sensitiveSettings = ({ options }: World) => ({
  logdrain_newrelic_license_key: null,
  logdrain_axiom_api_key: null,
  logdrain_custom_config: null,
  logdrain_custom_config_parser: null,
  sentinel_token: `sentinel-${options.seed ?? 0}`,
  sentinel_custom_url: "http://host.docker.internal:8000",
});

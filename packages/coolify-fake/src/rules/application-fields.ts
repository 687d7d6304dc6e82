import { anything, flag, list, number, text, type Rule } from "./fields.ts";
import { RUN_OPTIONS } from "./run-options.ts";

const IMAGE_TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const PATCHED_IMAGE_NAME =
  /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::\d+(?=\/))?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?:@sha256)?$/;
const COMMAND = /^[^;$`<>()|\\\n]+$/;
const optionalText = text({ nullable: true });

/** What both creation and change take. */
const SHARED: Record<string, Rule> = {
  name: text({ max: 255 }),
  description: optionalText,
  docker_registry_image_tag: text({ pattern: IMAGE_TAG, nullable: true }),
  ports_exposes: text({ pattern: /^\d+(,\d+)*$/, nullable: true }),
  ports_mappings: text({ pattern: /^\d+:\d+(,\d+:\d+)*$/, nullable: true }),
  domains: optionalText,
  noindex_domains: optionalText,
  redirect: text({ oneOf: ["www", "non-www", "both"], nullable: true }),
  force_domain_override: flag,
  instant_deploy: anything,
  limits_memory: text(),
  limits_memory_swap: text(),
  limits_memory_reservation: text(),
  limits_cpus: text(),
  limits_cpuset: optionalText,
  limits_cpu_shares: number(),
  limits_memory_swappiness: number(),
  health_check_enabled: flag,
  health_check_type: text({ oneOf: ["http", "cmd"] }),
  health_check_command: text({ pattern: /^[a-zA-Z0-9 \-_./:=@,+]+$/, nullable: true }),
  health_check_path: text({ pattern: /^[a-zA-Z0-9/\-_.~%,;]+$/ }),
  health_check_port: number({ integer: true, min: 1, max: 65_535, nullable: true }),
  health_check_host: text({ pattern: /^[a-zA-Z0-9.\-_]+$/ }),
  health_check_method: text({ oneOf: ["GET", "HEAD", "POST", "OPTIONS"] }),
  health_check_scheme: text({ oneOf: ["http", "https"] }),
  health_check_return_code: number(),
  health_check_response_text: optionalText,
  health_check_interval: number(),
  health_check_timeout: number(),
  health_check_retries: number(),
  health_check_start_period: number(),
  custom_docker_run_options: text({ pattern: RUN_OPTIONS, max: 2000, nullable: true }),
  custom_labels: optionalText,
  base_directory: optionalText,
  publish_directory: optionalText,
  install_command: text({ pattern: COMMAND, nullable: true }),
  build_command: text({ pattern: COMMAND, nullable: true }),
  start_command: text({ pattern: COMMAND, nullable: true }),
  post_deployment_command: optionalText,
  post_deployment_command_container: optionalText,
  pre_deployment_command: optionalText,
  pre_deployment_command_container: optionalText,
  watch_paths: optionalText,
  build_pack: text({ oneOf: ["nixpacks", "static", "dockerfile", "dockercompose", "railpack"] }),
  is_http_basic_auth_enabled: flag,
  http_basic_auth_username: optionalText,
  http_basic_auth_password: optionalText,
  max_restart_count: number({ integer: true, min: 0 }),
  stop_grace_period: number({ integer: true, min: 1, max: 3600, nullable: true }),
  is_force_https_enabled: flag,
  is_consistent_container_name_enabled: flag,
  custom_internal_name: optionalText,
  connect_to_docker_network: flag,
  use_build_server: flag,
  is_container_label_escape_enabled: flag,
  is_gzip_enabled: flag,
  is_stripprefix_enabled: flag,
  is_log_drain_enabled: flag,
  is_gpu_enabled: flag,
  gpu_driver: optionalText,
  gpu_count: optionalText,
  gpu_device_ids: optionalText,
  gpu_options: optionalText,
};

export const CREATE_FIELDS: Record<string, Rule> = {
  ...SHARED,
  docker_registry_image_name: text(),
  project_uuid: text(),
  server_uuid: text(),
  environment_name: optionalText,
  environment_uuid: optionalText,
  destination_uuid: text(),
  autogenerate_domain: flag,
  tags: list,
};

export const PATCH_FIELDS: Record<string, Rule> = {
  ...SHARED,
  docker_registry_image_name: text({ pattern: PATCHED_IMAGE_NAME }),
};

/** Where a setting is stored under another name than it is sent. */
export const SETTING_NAMES: Record<string, string> = { use_build_server: "is_build_server_enabled" };

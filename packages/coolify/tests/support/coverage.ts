import { isRecord, type Recorded } from "./recorded.ts";

/** Recorded exchanges that the client has no call for, and why. Each rule has to meet at least one. */
export const notCovered: { reason: string; when: (exchange: Recorded) => boolean }[] = [
  {
    reason: "a body that is no JSON, or not declared as such: the client always sends a JSON object",
    when: ({ request_raw }) => request_raw !== undefined,
  },
  {
    reason: "asked without Accept: application/json, which the client always sends",
    when: ({ request_headers }) => request_headers["Accept"] !== "application/json",
  },
  {
    reason: "a verb that the client does not use there",
    when: ({ method, route }) =>
      method === "PUT" ||
      `${method} ${route}` === "POST /applications/{id}/envs/bulk" ||
      (method === "GET" && /^\/(applications\/\{id\}\/(start|stop|restart)|deploy)$/.test(route)),
  },
  {
    reason: "an endpoint that AgentPod does not need",
    when: ({ method, route }) =>
      /\/(resources|tags|move|team|current|enable)$/.test(route) ||
      /^(PATCH \/servers\/|POST \/servers\/|DELETE \/destinations\/|PATCH \/applications\/\{id\}\/storages$)/.test(
        `${method} ${route}`,
      ),
  },
  { reason: "no endpoint of Coolify", when: ({ path }) => path === "/api/v1/nope" },
  {
    reason: "the client asks /api/health, which has a rate limit of its own",
    when: ({ path }) => path === "/api/v1/health",
  },
  {
    reason: "an image is changed as a whole, name and tag together",
    when: ({ method, route, request_json: body }) =>
      `${method} ${route}` === "PATCH /applications/{id}" &&
      isRecord(body) &&
      "docker_registry_image_name" in body !== "docker_registry_image_tag" in body,
  },
  {
    reason: "a digest where PATCH takes a tag: the client always writes a digest with @sha256",
    when: ({ method, request_json: body }) =>
      method === "PATCH" &&
      isRecord(body) &&
      body["docker_registry_image_name"] === "nginx" &&
      /^[0-9a-f]{64}$/.test(String(body["docker_registry_image_tag"])),
  },
  {
    reason: "a tag beside a digest, of which the client sends the digest alone",
    when: ({ label }) => label === "image: tag plus digest in name",
  },
  {
    reason: "only named volumes are needed, and no other field can be given",
    when: ({ method, route, request_json: body }) =>
      `${method} ${route}` === "POST /applications/{id}/storages" &&
      isRecord(body) &&
      (body["type"] !== "persistent" || "host_path" in body || "size" in body),
  },
  {
    reason: "what preflight asks, which has tests of its own",
    when: ({ method, path, request_json }) =>
      method === "POST" && path === "/api/v1/deploy" && request_json === undefined,
  },
  {
    reason: "the client deploys by one uuid or one tag, in the query",
    when: ({ route, query, request_json }) =>
      route === "/deploy" &&
      (request_json !== undefined || "docker_tag" in query || ("uuid" in query && "tag" in query)),
  },
  {
    reason: "the client sets the flags of a variable itself",
    when: ({ route, request_json: body }) =>
      route.endsWith("/envs") && isRecord(body) && (body["is_preview"] === true || "is_build_time" in body),
  },
  {
    reason: "a field that the client's call does not have",
    when: ({ request_json: body, query, route }) =>
      (isRecord(body) && "envs" in body) ||
      (route === "/projects" && isRecord(body) && "nope" in body) ||
      "show_timestamps" in query,
  },
];

/** Recorded requests that the client refuses to send, by what is wrong with them. */
export const refused: Record<string, string[]> = {
  "Coolify refuses it too, so that the client says so first": [
    "create project invalid name",
    "create dockerimage no environment",
    "create dockerimage nothing else",
    "create dockerimage without image",
    "create dockerimage unknown field",
    "create dockerimage build_pack given",
    "domains: no scheme",
    "domains: no scheme with port",
    "domains: ftp",
    "domains: wildcard",
    "domains: port 70000",
    "domains: array instead of string",
    "field fqdn instead of domains",
    "image: tag field = sha256:hex",
    "image: upper case name",
    "image: docker://",
    "image: tag with plus",
    "create field: ports_exposes with spaces",
    "create field: ports_exposes integer",
    "create field: ports_mappings with ip",
    "create field: limits_memory number",
    "create field: limits_cpus number",
    "create field: health_check_path with query",
    "create field: custom_docker_run_options with ;",
    "create field: custom_labels plain",
    "create field: name 300 chars",
    "PATCH domains no scheme",
    'PATCH {"ports_exposes": "80, 443"}',
    'PATCH {"ports_exposes": ""}',
    'PATCH {"ports_exposes": null}',
    'PATCH {"ports_exposes": 80}',
    'PATCH {"ports_exposes": "http"}',
    'PATCH {"limits_memory": 2048}',
    'PATCH {"limits_memory": ""}',
    'PATCH {"limits_memory": null}',
    'PATCH {"limits_cpus": 2}',
    'PATCH {"health_check_enabled": "yes"}',
    'PATCH {"name": ""}',
    'PATCH {"build_pack": "dockerimage"}',
    'PATCH {"autogenerate_domain": true}',
    'PATCH {"environment_name": "production"}',
    'PATCH {"destination_uuid": "x"}',
    'PATCH {"tags": ["a"]}',
    'PATCH {"nope": 1}',
    'PATCH {"uuid": "cb4kxuiecrtf2ytnvcujjahr"}',
    'PATCH {"status": "running"}',
    'PATCH {"start_command": "sh -c \\"echo $HOME\\""}',
    "custom_labels: PATCH is_container_label_readonly_enabled",
    "env create no key",
    "env create key with dash",
    "env create key starting with digit",
    "env create integer value",
    "env create boolean value",
    "env patch no key",
    "env bulk second item invalid",
    "env bulk empty",
    "storage create without name",
    "storage create bad name",
    "(no proxy) create with invalid domains",
    "deployments of application take=0 with Accept json",
  ],
  "Coolify stores something else than was sent": [
    "domains: upper case host, trailing slash",
    "domains: spaces and trailing comma",
    "create field: ports_exposes empty",
    "create field: instant_deploy string",
    "create field: name with newline/odd chars",
    'PATCH {"health_check_port": "4096"}',
    'PATCH {"description": null}',
    "env create no value",
    "env create with spaces around value",
    "env patch without value (value becomes null)",
    "env bulk same key twice",
    "unicode name and description",
    "(worker) logs lines=0 -> 100",
    "POST /deploy two uuids, one unknown",
  ],
  "a unit that Docker or Compose refuses, or reads as another": [
    "create field: limits_memory 2Gi",
    'PATCH {"limits_memory": "2Gi"}',
    'PATCH {"limits_memory": "lots"}',
    'PATCH {"limits_cpus": "500m"}',
    "(worker) create: limits_memory 2Gi",
    "(worker) create: limits_memory 2GiB",
    "(worker) create: limits_memory 0.5g",
    "(worker) create: limits_memory bytes 300000000",
    "(worker) create: limits_memory 300Mi",
    "(worker) create: limits_memory lots",
    "(worker) create: limits_memory 2g and swap 1g",
    "(worker) create: limits_memory 300m swap -1",
    "(worker) create: limits_memory 5m (below 6 MB)",
    "(worker) create: limits_memory 2048 (bytes!)",
    "(worker) create: limits_cpus 500m",
    "(worker) create: limits_cpus abc",
  ],
  "an image that Coolify takes and cannot start, or a digest written as a tag": [
    "image: name with tag and tag field",
    "image: tag field = sha256-hex",
    'PATCH {"docker_registry_image_name": "nginx", "docker_registry_image_tag": "sha256-aaaaaaaaaaaaa',
    "(worker) create: name with tag and tag field",
    "(worker) create: name with tag and tag",
    "(worker) create: image digest as sha256- tag",
  ],
  "run options that Coolify drops, cuts off, or hands to a shell": [
    "create field: custom_docker_run_options volume",
    'PATCH {"custom_docker_run_options": "--memory 2g --shm-size 1g"}',
    "(worker) create: custom_docker_run_options",
    "(worker) create: custom_docker_run_options --entrypoint",
    "(worker) create: custom_docker_run_options, many",
  ],
  "a field without effect on an image's application, or one that Coolify overwrites": [
    "create field: custom_labels base64",
    'PATCH {"build_pack": "nixpacks"}',
    'PATCH {"build_pack": "dockerfile", "ports_exposes": "80"}',
    'PATCH {"custom_labels": "YT1i"}',
    'PATCH {"start_command": "sleep 1"}',
    'PATCH {"post_deployment_command": "echo hi"}',
    "(worker) create: start_command set",
    "custom_labels: create",
    "custom_labels: PATCH",
    "http basic auth",
    "http basic auth enabled without password",
  ],
  "a value that the deployment fails on": ["env create flags", "env values with $", "(worker) envs"],
};

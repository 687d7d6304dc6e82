import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LaunchProblem } from "./problem.mjs";

/**
 * @typedef {object} BunNetwork
 * @property {string[]} args for bun install
 * @property {Record<string, string>} env for bun install
 * @property {() => Promise<void>} cleanUp removes the files made for it
 */

/**
 * Says to Bun what npm would do. Bun reads the project's and the user's .npmrc by itself, but not
 * npm's global one, and takes proxies and lax TLS only from the environment.
 * @param {import("./npm.mjs").Npm} npm
 * @param {string} root
 * @returns {Promise<BunNetwork>}
 */
export async function networkLikeNpm(npm, root) {
  const config = await npmConfig(npm, root);
  const files = await mkdtemp(join(tmpdir(), "agentpod-"));
  try {
    return {
      args: [...registryArgs(config), ...(await certificateArgs(config, files))],
      env: { ...proxyEnv(config), ...(await accountEnv(config, files)) },
      cleanUp: () => rm(files, { recursive: true, force: true }),
    };
  } catch (error) {
    await rm(files, { recursive: true, force: true });
    throw error;
  }
}

/**
 * @param {import("./npm.mjs").Npm} npm
 * @param {string} root
 * @returns {Promise<Record<string, unknown>>}
 */
async function npmConfig(npm, root) {
  const { code, stdout, stderr } = await npm.run(["config", "list", "--json"], root);
  if (code !== 0) throw new LaunchProblem(`npm could not list its settings: ${stderr.trim()}`);
  return JSON.parse(stdout);
}

/** @param {Record<string, unknown>} config */
function registryArgs(config) {
  const registry = text(config["registry"]);
  return [
    ...(registry ? ["--registry", registry] : []),
    ...(config["offline"] === true ? ["--offline"] : []),
    ...(config["prefer-offline"] === true ? ["--prefer-offline"] : []),
  ];
}

/**
 * @param {Record<string, unknown>} config
 * @param {string} files
 */
async function certificateArgs(config, files) {
  const cafile = text(config["cafile"]);
  if (cafile && (await isReadable(cafile))) return ["--cafile", cafile];
  const certificates = list(config["ca"]);
  if (certificates.length === 0) return [];
  const written = join(files, "ca.pem");
  // npm allows a certificate on one line, with \n for its line ends.
  await writeFile(written, `${certificates.join("\n").replaceAll("\\n", "\n")}\n`);
  return ["--cafile", written];
}

/** @param {Record<string, unknown>} config */
function proxyEnv(config) {
  const plain = text(config["proxy"]);
  const secure = text(config["https-proxy"]) ?? plain;
  const direct = list(config["noproxy"]).join(",");
  return {
    ...(plain && { HTTP_PROXY: plain, http_proxy: plain }),
    ...(secure && { HTTPS_PROXY: secure, https_proxy: secure }),
    ...(direct && { NO_PROXY: direct, no_proxy: direct }),
    ...(config["strict-ssl"] === false && { NODE_TLS_REJECT_UNAUTHORIZED: "0" }),
  };
}

/**
 * Credentials and scoped registries: Bun is pointed at the user's file, or, when the global file
 * has such lines too, at one with both (the user's last, as they win).
 * @param {Record<string, unknown>} config
 * @param {string} files
 * @returns {Promise<Record<string, string>>}
 */
async function accountEnv(config, files) {
  const userConfig = text(config["userconfig"]);
  const ofEveryone = await accountLines(text(config["globalconfig"]));
  if (ofEveryone.length === 0) return userConfig ? { NPM_CONFIG_USERCONFIG: userConfig } : {};
  const merged = join(files, "npmrc");
  const lines = [...ofEveryone, ...(await accountLines(userConfig))];
  await writeFile(merged, `${lines.join("\n")}\n`, { mode: 0o600 });
  return { NPM_CONFIG_USERCONFIG: merged };
}

/** @param {string | undefined} path */
async function accountLines(path) {
  if (!path || !(await isReadable(path))) return [];
  const lines = (await readFile(path, "utf8")).split(/\r?\n/);
  return lines.map((line) => line.trim()).filter((line) => /^(\/\/|@[^:=]+:registry\b)/.test(line));
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** @param {unknown} value */
function list(value) {
  return (Array.isArray(value) ? value : [value]).filter((item) => text(item) !== undefined);
}

/** @param {string} path */
async function isReadable(path) {
  return access(path, 4).then(
    () => true,
    () => false,
  );
}

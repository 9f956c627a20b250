/**
 * Docker's configuration file, made for one step: everything that works for other registries goes on working, and nothing that the
 * step logs in to is written where others read it (RULES 5.13).
 *
 *   auths              kept, but for our hosts: these get an empty entry, which the login that follows fills. An empty configuration
 *                      would be bad: Docker then looks for a store of the machine on PATH (`pass`, `secretservice`) and writes there
 *   credHelpers        kept, but for our hosts: a helper would be asked instead of our login
 *   credsStore         kept; our hosts get an empty helper, which is Docker's word for "in this file"
 *   cliPluginsExtraDirs  kept, and the plugins of the former folder added
 *   anything else      kept as it is: proxies, HttpHeaders, currentContext, …
 *
 * Source: docker/cli, cli/config/configfile/file.go (ContainsAuth, GetCredentialsStore) and cli/config/credentials/default_store.go.
 */
import { isObject, type JsonObject } from './json.ts';
import { bad, ok, type Parsed } from './parsed.ts';

export interface IsolationRequest {
  /** The text of the configuration that is in force; undefined where there is none. */
  readonly existing: string | undefined;
  /** The folder that it is in. */
  readonly folder: string;
  /** The hosts that will be logged in to. */
  readonly hosts: readonly string[];
}

/** The text of a configuration for a folder of its own. */
export function isolatedDockerConfig({ existing, folder, hosts }: IsolationRequest): Parsed<string> {
  const parsed = parse(existing);
  if (!parsed.ok) return parsed;
  const { auths, credHelpers, cliPluginsExtraDirs, ...rest } = parsed.value;
  const store = typeof rest['credsStore'] === 'string' && rest['credsStore'] !== '';
  const helpers = { ...without(object(credHelpers), hosts), ...(store && ofEach(hosts, '')) };
  const plugins = Array.isArray(cliPluginsExtraDirs) ? (cliPluginsExtraDirs as unknown[]) : [];
  const config = {
    ...rest,
    auths: { ...without(object(auths), hosts), ...ofEach(hosts, {}) },
    credHelpers: helpers,
    cliPluginsExtraDirs: [...plugins, `${folder}/cli-plugins`],
  };
  return ok(JSON.stringify(config, undefined, 2));
}

/** How a host is logged in to: by the entry itself, or by the helper program `docker-credential-<helper>`, which is asked for `server`. */
export type StoredLogin = { readonly username: string; readonly password: string } | { readonly helper: string; readonly server: string };

/** What a configuration has for a host; undefined where it has nothing, or is no configuration. */
export function storedLogin(text: string | undefined, host: string): StoredLogin | undefined {
  const parsed = parse(text);
  if (!parsed.ok) return undefined;
  const { auths, credHelpers, credsStore } = parsed.value;
  const helper = object(credHelpers)[host];
  if (typeof helper === 'string' && helper !== '') return { helper, server: host };
  const [server = host, entry] = Object.entries(object(auths)).find(([name]) => hostOf(name) === host || isDockerHub(name, host)) ?? [];
  const { auth } = object(entry);
  if (typeof auth === 'string' && auth !== '') {
    const [username = '', password = ''] = atob(auth).split(/:(.*)/s, 2);
    return { username, password };
  }
  // An empty helper is Docker's word for "in this file".
  return typeof credsStore === 'string' && helper === undefined && entry !== undefined ? { helper: credsStore, server } : undefined;
}

/** Docker Hub is logged in to under its first API's address. */
function isDockerHub(name: string, host: string): boolean {
  return host === 'docker.io' && hostOf(name) === 'index.docker.io';
}

function hostOf(name: string): string {
  return name.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function parse(text: string | undefined): Parsed<JsonObject> {
  if (text === undefined || text.trim() === '') return ok({});
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? ok(value) : bad('is not a JSON object');
  } catch (error) {
    return bad(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function ofEach<T>(hosts: readonly string[], value: T): Readonly<Record<string, T>> {
  return Object.fromEntries(hosts.map((host) => [host, value]));
}

/** Docker writes a host with or without its scheme. */
function without(entries: JsonObject, hosts: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(entries).filter(([host]) => !hosts.includes(hostOf(host))));
}

function object(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

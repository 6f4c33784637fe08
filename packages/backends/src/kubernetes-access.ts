import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import type { TlsSettings } from "@millwright/clients/http";
import type { BackendPorts } from "./backend-type.ts";
import {
  dataOf,
  isText,
  type KubeContext,
  type KubeEntry,
  readKubeContext,
  readText,
  recordsIn,
  recordOf,
  unusable,
} from "./kubeconfig.ts";
import { type ExecCredential, execCredential, type KubeExec } from "./kubernetes-exec.ts";
import type { Settings } from "./settings.ts";

/** How a cluster is reached, for as long as the credentials hold. */
export interface KubeAccess {
  /** The API server's address. */
  readonly server: string;
  readonly tls: TlsSettings;
  /** The value of the header `authorization`. */
  readonly authorization?: string;
  /** When to ask for it anew; milliseconds since 1970. */
  readonly expires?: number;
}

/** Where a pod finds its own account. */
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
/** A pod's token is replaced while it runs; milliseconds. */
const accountHolds = 60_000;

/**
 * Finds the way to the cluster: in a pod its own account, else what kubeconfig files say, and over either what the block says.
 * Throws `stateUnreadable` where that is not enough.
 */
export async function findAccess(
  settings: Settings,
  ports: BackendPorts,
  account = accountFolder,
): Promise<KubeAccess> {
  const isPod = settings.flag("in_cluster_config") === true;
  const context = isPod ? undefined : contextOf(settings, ports);
  const base = isPod ? podAccess(ports, account) : await contextAccess(context!, settings, ports);
  const server = settings.text("host") ?? base.server;
  if (server === undefined)
    throw unusable(
      "no address of it is known. Set config_path to a kubeconfig file, host, or in_cluster_config in a pod",
    );
  const ca = settings.text("cluster_ca_certificate");
  const [cert, key] = [settings.text("client_certificate"), settings.text("client_key")];
  const authorization = authorizationOf({
    token: settings.text("token"),
    user: settings.text("username"),
    password: settings.text("password"),
  });
  const tls = {
    ...base.tls,
    ...(settings.flag("insecure") === undefined ? {} : { verify: settings.flag("insecure") !== true }),
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  const whole = server.includes("://") ? server : `https://${server}`;
  return { ...base, server: whole, tls, ...(authorization === undefined ? {} : { authorization }) };
}

type FoundAccess = Omit<KubeAccess, "server"> & { readonly server?: string | undefined };

function podAccess({ env, clock }: BackendPorts, account: string): FoundAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port)
    throw unusable(
      "in_cluster_config is for pods, and KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set here",
    );
  const token = readText(join(account, "token")).trim();
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    tls: { verify: true, ca: [readText(join(account, "ca.crt"))] },
    authorization: `Bearer ${token}`,
    expires: clock.now() + accountHolds,
  };
}

function contextOf(settings: Settings, { env, folder }: BackendPorts): KubeContext {
  if (settings.flag("load_config_file") === false) return { cluster: undefined, user: undefined };
  const one = settings.text("config_path");
  const several = settings.texts("config_paths");
  const named =
    one !== undefined ? [one] : several.length > 0 ? several : (env.KUBE_CONFIG_PATHS ?? "").split(delimiter);
  const home = env.HOME ?? homedir();
  const paths = named.filter((path) => path !== "").map((path) => resolve(folder, path.replace(/^~(?=\/|$)/, home)));
  return readKubeContext(paths, {
    context: settings.text("config_context"),
    cluster: settings.text("config_context_cluster"),
    user: settings.text("config_context_auth_info"),
  });
}

async function contextAccess(
  { cluster, user }: KubeContext,
  settings: Settings,
  ports: BackendPorts,
): Promise<FoundAccess> {
  const exec = execOfBlock(settings.nested("exec"), ports.folder) ?? (user && execOfUser(user));
  const given: ExecCredential = exec ? await execCredential(exec, ports) : {};
  const { token, certificate, key } = { ...(user ? loginOf(user) : {}), ...given };
  const authorization = authorizationOf({
    token,
    user: [user?.values["username"]].find(isText),
    password: [user?.values["password"]].find(isText),
  });
  return {
    server: [cluster?.values["server"]].find(isText),
    tls: {
      ...(cluster ? trustOf(cluster) : { verify: true }),
      ...(certificate && key ? { cert: certificate, key } : {}),
    },
    ...(authorization === undefined ? {} : { authorization }),
    ...(given.expires === undefined ? {} : { expires: given.expires }),
  };
}

function trustOf(cluster: KubeEntry): TlsSettings {
  const { values } = cluster;
  if (isText(values["proxy-url"])) throw unusable(`its proxy-url is not supported here: ${values["proxy-url"]}`);
  const authority = dataOf(cluster, "certificate-authority");
  const serverName = values["tls-server-name"];
  return {
    verify: values["insecure-skip-tls-verify"] !== true,
    ...(authority === undefined ? {} : { ca: [authority] }),
    ...(isText(serverName) ? { serverName } : {}),
  };
}

function loginOf(user: KubeEntry): ExecCredential {
  const { values, folder } = user;
  if (recordOf(values["auth-provider"]))
    throw unusable(`the user ${user.name} logs in by an auth-provider, which Kubernetes has no more: use exec`);
  const file = values["tokenFile"];
  const token = isText(values["token"])
    ? values["token"]
    : isText(file)
      ? readText(resolve(folder, file)).trim()
      : undefined;
  const [certificate, key] = [dataOf(user, "client-certificate"), dataOf(user, "client-key")];
  return {
    ...(token === undefined ? {} : { token }),
    ...(certificate !== undefined && key !== undefined ? { certificate, key } : {}),
  };
}

function execOfUser({ values, folder }: KubeEntry): KubeExec | undefined {
  const exec = recordOf(values["exec"]);
  if (!exec) return undefined;
  const variables = recordsIn(exec["env"]).map(({ name, value }) => [String(name), String(value)] as const);
  return {
    apiVersion: String(exec["apiVersion"] ?? ""),
    command: String(exec["command"] ?? ""),
    args: Array.isArray(exec["args"]) ? exec["args"].map(String) : [],
    env: Object.fromEntries(variables),
    folder,
  };
}

function execOfBlock(block: Settings | undefined, folder: string): KubeExec | undefined {
  if (!block) return undefined;
  const { texts, textMap } = { texts: block.texts("args"), textMap: block.textMap("env") };
  return {
    apiVersion: block.text("api_version") ?? "",
    command: block.text("command") ?? "",
    args: texts,
    env: textMap,
    folder,
  };
}

function authorizationOf(login: {
  readonly token: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
}): string | undefined {
  const { token, user, password } = login;
  if (token !== undefined) return `Bearer ${token}`;
  if (user === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

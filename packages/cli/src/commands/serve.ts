import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { formatAddress, type ListenAddress } from "@millwright/daemon/listener";
import { type RunningServer, type ServerConfig, startServer } from "@millwright/server/server";
import type { CommandIo } from "../io.ts";
import { untilAborted } from "./until-aborted.ts";

/**
 * Runs a server until the signal aborts; resolves to the exit code. `readAgain` gives the services and checks of the
 * configuration, at SIGHUP and `PUT /v1/agent/reload`; undefined where it cannot be used, which it has said.
 */
export async function serve(
  config: ServerConfig,
  io: CommandIo,
  readAgain?: () => Promise<Pick<ServerConfig, "services" | "checks"> | undefined>,
): Promise<number> {
  const running: { server?: RunningServer } = {};
  const onReload = async () => {
    const definitions = await readAgain?.();
    if (definitions) running.server?.reconfigure(definitions);
  };
  try {
    const server = await startServer({ ...config, ...(readAgain ? { onReload } : {}) });
    running.server = server;
    const onHangup = () => {
      void server.reopenLogs();
      // A configuration that cannot be used is said, and the one before goes on.
      void onReload().catch((error: unknown) => refuse(io, messageOf(error)));
    };
    process.on("SIGHUP", onHangup);
    await io.stdout(banner(server, config));
    await untilAborted(io.signal);
    process.off("SIGHUP", onHangup);
    await io.stderr("Stopping: answering what is under way …\n");
    await server.close();
    // What was in memory is gone, and nothing is left to unseal.
    if (config.store?.kind === "memory" && config.devSeal)
      await rm(config.devSeal.folder, { recursive: true, force: true });
    return 0;
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return refuse(io, error.message);
  }
}

function banner(server: RunningServer, config: ServerConfig): string {
  const http = server.http.map(url);
  const vault = server.vault.map(url);
  const nomad = server.nomad.map(url);
  const dns = server.dns.map(({ host, port }) => formatAddress({ kind: "tcp", host, port }));
  const token = server.rootTokenFile;
  const sealed = token === undefined ? '  (unseal it: "vault operator unseal")' : "";
  return [
    "Millwright server is running.",
    "",
    ...http.map((address) => `  Consul HTTP API  ${address}`),
    ...vault.map((address) => `  Vault HTTP API   ${address}${sealed}`),
    ...nomad.map((address) => `  Nomad HTTP API   ${address}`),
    ...dns.map((address) => `  DNS              ${address}`),
    `  Data             ${describeStore(config.store)}`,
    ...(vault.length > 0 && config.secretsStore?.kind === "sqlite"
      ? [`  Secrets' store   ${config.secretsStore.dataFolder}`]
      : []),
    `  Datacenter       ${config.datacenter ?? "dc1"}`,
    `  Node id          ${server.nodeId}`,
    ...(server.joinToken.file === undefined ? [] : [`  Join token in    ${server.joinToken.file}`]),
    ...(token === undefined
      ? []
      : ["", "  For development: the unseal key and the root token are kept in", `  ${dirname(token)}`]),
    "",
    ...(http[0] === undefined || http[0] === "http://127.0.0.1:8500" ? [] : [`  export CONSUL_HTTP_ADDR=${http[0]}`]),
    ...(vault[0] === undefined || vault[0] === "http://127.0.0.1:8200" ? [] : [`  export VAULT_ADDR=${vault[0]}`]),
    ...(nomad[0] === undefined || nomad[0] === "http://127.0.0.1:4646" ? [] : [`  export NOMAD_ADDR=${nomad[0]}`]),
    ...(token === undefined ? [] : [`  export VAULT_TOKEN=$(cat ${token})`]),
    "",
    "Stop it with ^C.",
    "",
  ].join("\n");
}

function url(address: ListenAddress): string {
  return `${address.kind === "tcp" ? "http://" : ""}${formatAddress(address)}`;
}

function describeStore(store: ServerConfig["store"]): string {
  if (store?.kind === "sqlite") return store.dataFolder;
  return store?.kind === "etcd" ? `etcd at ${store.endpoints.join(", ")}` : "in memory, gone when it stops";
}

async function refuse(io: CommandIo, text: string): Promise<number> {
  await io.stderr(`Error: ${text}\n`);
  return 1;
}

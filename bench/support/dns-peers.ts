import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { createSocket } from "node:dgram";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onPath } from "./programs.ts";

/** A DNS server to measure beside ours: how it is started, and on which port it answers for `web.service.consul`. */
export interface DnsPeer {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number;
  /** Gives it its records, where it is started without them. */
  readonly prepare?: () => Promise<void>;
}

const addresses = [1, 2, 3].map((i) => ({
  name: `node${i - 1}.node.dc1.consul`,
  address: `10.0.0.${i}`,
  port: 7999 + i,
}));

/** The named DNS servers that are installed here, each with the same records as ours; one thread each but Consul. */
export async function installedPeers(): Promise<readonly DnsPeer[]> {
  const makers = [consul, nsd, unbound, dnsmasq];
  const peers = await Promise.all(makers.map(async (make) => make(await freePort())));
  return peers.filter((peer) => peer !== undefined);
}

async function consul(port: number): Promise<DnsPeer | undefined> {
  const program = process.env.CONSUL_BIN ?? findServer("consul");
  const [http, rpc, lan] = await Promise.all([freePort(), freePort(), freePort()]);
  const listen = [`-http-port=${http}`, `-dns-port=${port}`, `-server-port=${rpc}`, `-serf-lan-port=${lan}`];
  const off = ["-serf-wan-port=-1", "-grpc-port=-1", "-grpc-tls-port=-1", "-log-level=error"];
  const prepare = async () => {
    const leader = () =>
      fetch(`http://127.0.0.1:${http}/v1/status/leader`).then(
        (answer) => answer.text(),
        () => "",
      );
    for (let i = 0; i < 100 && !(await leader()).includes(":"); i++) await sleep(300);
    for (const [i, { address, port: at }] of addresses.entries()) {
      const body = JSON.stringify({ Node: `node${i}`, Address: address, Service: { Service: "web", Port: at } });
      await fetch(`http://127.0.0.1:${http}/v1/catalog/register`, { method: "PUT", body });
    }
  };
  const args = ["agent", "-dev", ...listen, ...off];
  return program === undefined ? undefined : { name: "consul (all its threads)", program, args, port, prepare };
}

function dnsmasq(port: number): DnsPeer | undefined {
  const program = findServer("dnsmasq");
  const hosts = addresses.flatMap(({ name, address, port: at }) => [
    `--host-record=web.service.consul,${address}`,
    `--host-record=${name},${address}`,
    `--srv-host=web.service.consul,${name},${at}`,
  ]);
  const fixed = [
    "-k",
    "-p",
    String(port),
    "--listen-address=127.0.0.1",
    "--bind-interfaces",
    "--no-resolv",
    "--no-hosts",
  ];
  const rest = ["--conf-file=/dev/null", "--user=root", "--pid-file="];
  return program === undefined ? undefined : { name: "dnsmasq", program, args: [...fixed, ...rest, ...hosts], port };
}

function nsd(port: number): DnsPeer | undefined {
  const program = findServer("nsd");
  const folder = mkdtempSync(join(tmpdir(), "millwright-nsd-"));
  const zone = [
    "$ORIGIN consul.",
    "@ 0 SOA ns hostmaster 1 3600 600 86400 0",
    "@ 0 NS ns",
    "ns 0 A 127.0.0.1",
    ...addresses.flatMap(({ name, address, port: at }) => [
      `web.service 0 A ${address}`,
      `web.service 0 SRV 1 1 ${at} ${name}.`,
      `${name}. 0 A ${address}`,
    ]),
  ];
  writeFileSync(join(folder, "zone"), `${zone.join("\n")}\n`);
  const config = [
    "server:",
    "server-count: 1",
    `ip-address: 127.0.0.1@${port}`,
    'username: ""',
    'chroot: ""',
    `zonesdir: "${folder}"`,
    `database: ""`,
    `pidfile: "${folder}/pid"`,
    `xfrdfile: "${folder}/xfrd"`,
    `zonelistfile: "${folder}/list"`,
    "rrl-ratelimit: 0",
    "remote-control:",
    "control-enable: no",
    "zone:",
    'name: "consul"',
    'zonefile: "zone"',
  ];
  writeFileSync(join(folder, "nsd.conf"), `${config.join("\n")}\n`);
  return program === undefined
    ? undefined
    : { name: "nsd", program, args: ["-d", "-c", join(folder, "nsd.conf")], port };
}

function unbound(port: number): DnsPeer | undefined {
  const program = findServer("unbound");
  const folder = mkdtempSync(join(tmpdir(), "millwright-unbound-"));
  const data = addresses.flatMap(({ name, address, port: at }) => [
    `local-data: "web.service.consul. 0 A ${address}"`,
    `local-data: "web.service.consul. 0 SRV 1 1 ${at} ${name}."`,
    `local-data: "${name}. 0 A ${address}"`,
  ]);
  const config = [
    "server:",
    "num-threads: 1",
    "interface: 127.0.0.1",
    `port: ${port}`,
    'username: ""',
    'chroot: ""',
    `directory: "${folder}"`,
    'pidfile: ""',
    "use-syslog: no",
    'local-zone: "consul." static',
    ...data,
    "remote-control:",
    "control-enable: no",
  ];
  writeFileSync(join(folder, "unbound.conf"), `${config.join("\n")}\n`);
  return program === undefined
    ? undefined
    : { name: "unbound", program, args: ["-d", "-c", join(folder, "unbound.conf")], port };
}

/** Servers are often in folders that are not on a user's PATH. */
function findServer(name: string): string | undefined {
  return onPath(name) ?? ["/usr/sbin", "/sbin", "/usr/local/sbin"].map((folder) => join(folder, name)).find(existsSync);
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

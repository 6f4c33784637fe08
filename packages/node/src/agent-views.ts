import { consulVersion } from "@millwright/core/followed-versions";
import { createHash } from "node:crypto";
import { durationText } from "./check-definition.ts";
import type { NodeIdentity } from "./identity.ts";
import type { LocalCheck, LocalService, NodeState } from "./node-state.ts";
import { wireAddress } from "./service-definition.ts";

/** A service in the form of `/v1/agent/services`. */
export function serviceView({ definition }: LocalService, datacenter: string): Readonly<Record<string, unknown>> {
  const tagged = Object.entries(definition.taggedAddresses).map(([tag, at]) => [tag, wireAddress(at)]);
  return {
    ID: definition.id,
    Service: definition.name,
    Tags: definition.tags,
    Meta: definition.meta,
    Port: definition.port,
    Address: definition.address,
    ...(definition.socketPath === "" ? {} : { SocketPath: definition.socketPath }),
    ...(tagged.length > 0 ? { TaggedAddresses: Object.fromEntries(tagged) } : {}),
    Weights: { Passing: definition.weights.passing, Warning: definition.weights.warning },
    EnableTagOverride: definition.enableTagOverride,
    Datacenter: datacenter,
  };
}

/** What changes with every change of a service's definition. */
export function contentHash(view: object): string {
  return createHash("sha256").update(JSON.stringify(view)).digest("hex").slice(0, 16);
}

/** A check in the form of `/v1/agent/checks`. */
export function checkView(check: LocalCheck, state: NodeState, nodeName: string): Readonly<Record<string, unknown>> {
  const { definition, status, output } = check;
  const { probe } = definition;
  const service = state.services.get(definition.serviceId)?.definition;
  return {
    Node: nodeName,
    CheckID: definition.id,
    Name: definition.name,
    Status: status,
    Notes: definition.notes,
    Output: output,
    ServiceID: definition.serviceId,
    ServiceName: service?.name ?? "",
    ServiceTags: service?.tags ?? [],
    Type: probe.kind,
    Interval: "interval" in probe ? durationText(probe.interval) : "",
    Timeout: "timeout" in probe ? durationText(probe.timeout) : "",
    ExposedPort: 0,
    Definition: {},
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** A member of the datacenter in the form of `/v1/agent/members`. */
export function memberView(member: {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly datacenter: string;
  readonly version?: string;
  readonly server: boolean;
  readonly isAlive: boolean;
}): object {
  const { name, id, address, datacenter, version, server, isAlive } = member;
  const build = version === undefined ? {} : { build: `${consulVersion}:millwright-${version}` };
  const role = server ? { role: "consul", port: "8300" } : { role: "node" };
  return {
    Name: name,
    Addr: address,
    Port: 8301,
    Tags: { ...build, dc: datacenter, id, segment: "", vsn: "2", vsn_min: "2", vsn_max: "3", ...role },
    // As the members' protocol numbers them: 1 is alive, 4 has failed.
    Status: isAlive ? 1 : 4,
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  };
}

/** What `/v1/agent/self` says. */
export function selfView(
  identity: NodeIdentity,
  state: NodeState,
  servers: { readonly membership: string; readonly addresses: readonly string[] },
): object {
  const { name, id, datacenter, address, version, server, meta, httpPort, dnsPort } = identity;
  const revision = `millwright-${version}`;
  const ttls = [...state.checks.values()].filter(({ definition }) => definition.probe.kind === "ttl").length;
  return {
    Config: {
      Datacenter: datacenter,
      PrimaryDatacenter: datacenter,
      NodeName: name,
      NodeID: id,
      Revision: revision,
      Server: server,
      Version: consulVersion,
      BuildDate: "0001-01-01T00:00:00Z",
    },
    DebugConfig: {
      Datacenter: datacenter,
      NodeName: name,
      NodeID: id,
      ServerMode: server,
      AdvertiseAddrLAN: address,
      ...(httpPort === undefined ? {} : { HTTPPort: httpPort }),
      ...(dnsPort === undefined ? {} : { DNSPort: dnsPort }),
    },
    Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 0.00001 },
    Member: memberView({ name, id, address, datacenter, version, server, isAlive: true }),
    Stats: {
      agent: {
        check_monitors: String(state.checks.size - ttls),
        check_ttls: String(ttls),
        checks: String(state.checks.size),
        services: String(state.services.size),
      },
      build: { revision, version: consulVersion, version_metadata: "", prerelease: "" },
      consul: { known_servers: String(servers.addresses.length), server: String(server) },
      membership: { state: servers.membership, servers: servers.addresses.join(", ") },
      runtime: { arch: process.arch, os: process.platform, version: process.version },
    },
    Meta: meta ?? {},
  };
}

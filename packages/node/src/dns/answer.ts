import type { Chance } from "@millwright/core/ports";
import type { AddressOwners, CatalogNode, Instance } from "./catalog.ts";
import { addressKey, type HostAddress } from "./host-address.ts";
import { type DnsRecord, type DomainName, isWritable, recordTypes } from "./records.ts";

/** What there is to a question: an existing name without records is another answer than a name that does not exist. */
export type Content = { readonly kind: "unknown-name" } | Records;

export interface Records {
  readonly kind: "records";
  readonly answers: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/** The question, as far as records are made of it. */
export interface Asking {
  /** As it was asked: the answers' own name. */
  readonly name: DomainName;
  readonly type: number;
  /** The domain as it was asked: names in the answer end with it. */
  readonly domain: DomainName;
  readonly ttl: number;
  /** Records beyond this many cannot be sent anyway. */
  readonly most: number;
}

export interface ServiceRules {
  readonly onlyPassing: boolean;
  readonly tag?: string | undefined;
  /** Put the meta of nodes beside SRV records. */
  readonly nodeMeta: boolean;
  readonly chance: Chance;
}

export const unknownName: Content = { kind: "unknown-name" };

/** A name that is there, without records of the type. */
export const noRecords: Records = { kind: "records", answers: [], additional: [] };

/** The instances that may be used, in an order of chance. Where there is none, the name does not exist. */
export function serviceContent(instances: readonly Instance[], asking: Asking, rules: ServiceRules): Content {
  const { tag, onlyPassing, chance } = rules;
  const usable = instances.filter(
    ({ health, tags }) =>
      health !== "critical" && (health === "passing" || !onlyPassing) && (tag === undefined || tags.includes(tag)),
  );
  if (usable.length === 0) return unknownName;
  shuffle(usable, chance);
  if (asking.type === recordTypes.SRV) return srvContent(usable, asking, rules.nodeMeta);
  const addresses = usable.map(({ address }) => address);
  return { kind: "records", answers: hostRecords(addresses, asking), additional: [] };
}

/** A node's address, whatever its health: who asks for a node by name wants to reach that very one. */
export function nodeContent(node: CatalogNode | undefined, asking: Asking, nodeMeta: boolean): Content {
  if (!node) return unknownName;
  const { name, type, ttl } = asking;
  const answers = hostRecords([node.address], asking);
  const meta = metaRecords(name, node, ttl);
  if (type === recordTypes.ANY || type === recordTypes.TXT)
    return { kind: "records", answers: [...answers, ...meta], additional: [] };
  return { kind: "records", answers, additional: nodeMeta && answers.length > 0 ? meta : [] };
}

export function addressContent(address: HostAddress, asking: Asking): Content {
  return { kind: "records", answers: hostRecords([address], asking), additional: [] };
}

/** The name of an address: that of a node, or else those of services. Undefined where nobody has it. */
export function ownerRecords(
  owners: AddressOwners,
  name: DomainName,
  { ttl, datacenter, domain }: { readonly ttl: number; readonly datacenter: string; readonly domain: DomainName },
): DnsRecord[] {
  const [node] = owners.nodes;
  const targets =
    node === undefined
      ? owners.services.map((service) => `${service}.service.${datacenter}.${domain}`)
      : [`${node}.node.${datacenter}.${domain}`];
  return targets.filter(isWritable).map((target) => ({ name, ttl, data: { type: "PTR", target } }));
}

/** The servers by their nodes' names, three at most, with their addresses. */
export function nameServerContent(servers: readonly Instance[], ownNode: DomainName, asking: Asking): Content {
  const { name, ttl, domain } = asking;
  const answers: DnsRecord[] = [];
  const additional: DnsRecord[] = [];
  const seen = new Set<DomainName>();
  for (const { node, health } of servers) {
    const target = nodeName(node, domain);
    if (health === "critical" || seen.has(target) || !isWritable(target) || seen.size === 3) continue;
    seen.add(target);
    answers.push({ name, ttl, data: { type: "NS", target } });
    additional.push(...hostRecords([node.address], { ...asking, name: target, type: recordTypes.ANY }));
  }
  if (answers.length === 0) answers.push({ name, ttl, data: { type: "NS", target: ownNode } });
  return { kind: "records", answers, additional };
}

function nodeName({ name, datacenter }: CatalogNode, domain: DomainName): DomainName {
  return `${name}.node.${datacenter}.${domain}`;
}

function srvContent(instances: readonly Instance[], asking: Asking, nodeMeta: boolean): Content {
  const { name, domain, ttl, most } = asking;
  const answers: DnsRecord[] = [];
  const additional: DnsRecord[] = [];
  const ports = new Map<DomainName, number[]>();
  for (const instance of instances) {
    if (answers.length >= most) break;
    const found = targetOf(instance);
    if (!found) continue;
    const { port, weight, node, address } = instance;
    const target = found.kind === "elsewhere" ? found.name : `${found.name}.${domain}`;
    const known = ports.get(target);
    if (known?.includes(port)) continue;
    answers.push({ name, ttl, data: { type: "SRV", priority: 1, weight, port, target } });
    if (known) {
      known.push(port);
      continue;
    }
    ports.set(target, [port]);
    if (found.kind === "elsewhere") continue;
    additional.push(...hostRecords([address], { ...asking, name: target, type: recordTypes.ANY }));
    if (nodeMeta && found.kind === "node") additional.push(...metaRecords(target, node, ttl));
  }
  return { kind: "records", answers, additional };
}

/** What an SRV record points to; the name is without the domain where it is below it. */
interface Target {
  readonly kind: "node" | "address" | "elsewhere";
  readonly name: DomainName;
}

const targets = new WeakMap<Instance, Target | undefined>();

// Found once for each instance: it takes longer than all the rest of an answer.
function targetOf(instance: Instance): Target | undefined {
  if (targets.has(instance)) return targets.get(instance);
  const target = findTarget(instance);
  targets.set(instance, target);
  return target;
}

// A node's name where the service is at the node's address, else a name that spells the address.
function findTarget({ address, node }: Instance): Target | undefined {
  if (address.kind === "none") return undefined;
  if (address.kind === "name") return { kind: "elsewhere", name: address.name };
  const name = `${node.name}.node.${node.datacenter}`;
  if (sameAddress(address, node.address) && isWritable(name)) return { kind: "node", name };
  return { kind: "address", name: `${addressKey(address.bytes)}.addr.${node.datacenter}` };
}

function sameAddress(one: HostAddress, other: HostAddress): boolean {
  if (one === other) return true;
  return "bytes" in one && "bytes" in other && addressKey(one.bytes) === addressKey(other.bytes);
}

// Each address once. A CNAME stands alone by the protocol's rules, so that one is given only where there is no address.
function hostRecords(addresses: readonly HostAddress[], { name, type, ttl, most }: Asking): DnsRecord[] {
  const any = type === recordTypes.ANY;
  const records: DnsRecord[] = [];
  const seen = new Set<string>();
  for (const address of addresses) {
    if (records.length >= most) break;
    if (!("bytes" in address)) continue;
    const kind = address.kind === "ipv4" ? "A" : "AAAA";
    if (!any && recordTypes[kind] !== type) continue;
    if (addresses.length > 1) {
      const key = addressKey(address.bytes);
      if (seen.has(key)) continue;
      seen.add(key);
    }
    records.push({ name, ttl, data: { type: kind, bytes: address.bytes } });
  }
  if (records.length > 0) return records;
  const alias = addresses.find((address) => address.kind === "name");
  const wanted = any || type === recordTypes.A || type === recordTypes.AAAA || type === recordTypes.CNAME;
  return alias && wanted ? [{ name, ttl, data: { type: "CNAME", target: alias.name } }] : [];
}

// As RFC 1464 writes attributes; keys that begin with `rfc1035-` stand for a text as it is.
function metaRecords(name: DomainName, { meta }: CatalogNode, ttl: number): DnsRecord[] {
  return Object.entries(meta).map(([key, value]) => {
    const text = key.toLowerCase().startsWith("rfc1035-") ? value : `${quotedKey(key)}=${value.replaceAll("`", "``")}`;
    return { name, ttl, data: { type: "TXT", text } };
  });
}

function quotedKey(key: string): string {
  return key.replace(/[`=]|^[ \t]+|[ \t]+$/g, (found) => found.replace(/./g, "`$&"));
}

function shuffle(list: unknown[], chance: Chance): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(chance.fraction() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
}

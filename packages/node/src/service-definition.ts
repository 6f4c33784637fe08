import { isIP } from "node:net";
import { type CheckDefinition, parseCheck } from "./check-definition.ts";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";

/** A service, as it was registered on this node. */
export interface ServiceDefinition {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** Empty where it is the node's. */
  readonly address: string;
  readonly port: number;
  /** Of a Unix socket; empty for none. */
  readonly socketPath: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly taggedAddresses: Readonly<Record<string, ServiceAddress>>;
  readonly weights: { readonly passing: number; readonly warning: number };
  /** Whether others may change its tags in the catalog. */
  readonly enableTagOverride: boolean;
}

export interface ServiceAddress {
  readonly address: string;
  readonly port: number;
}

export interface ParsedService {
  readonly service: ServiceDefinition;
  readonly checks: readonly CheckDefinition[];
  /** Given in the definition itself; secret. Empty where none is. */
  readonly token: string;
}

/** Reads a service, with its checks, in the form of Consul's agent API and configuration files. Throws {@link WireMistake}. */
export function parseService(value: unknown): ParsedService {
  const fields = new WireFields(value, "a service");
  const name = fields.text("Name");
  if (name === "") throw new WireMistake("Missing service name");
  refuseMesh(fields);
  const id = fields.text("ID") || name;
  const address = fields.text("Address");
  if (address === "0.0.0.0" || address === "::" || address === "[::]") throw new WireMistake("Invalid service address");
  const port = parsePort(fields);
  const service: ServiceDefinition = {
    id,
    name,
    tags: fields.texts("Tags"),
    address,
    port,
    socketPath: fields.text("SocketPath"),
    meta: parseMeta(fields),
    taggedAddresses: { ...parseTagged(fields), ...defaultTagged(fields, address, port) },
    weights: parseWeights(fields),
    enableTagOverride: fields.flag("EnableTagOverride"),
  };
  return { service, checks: parseChecks(fields, service), token: fields.text("Token") };
}

/** The service in the form that {@link parseService} reads, without its checks. */
export function encodeService(service: ServiceDefinition): object {
  const tagged = Object.entries(service.taggedAddresses).map(([tag, at]) => [tag, wireAddress(at)]);
  return {
    ID: service.id,
    Name: service.name,
    Tags: service.tags,
    Address: service.address,
    Port: service.port,
    SocketPath: service.socketPath,
    Meta: service.meta,
    TaggedAddresses: Object.fromEntries(tagged),
    Weights: { Passing: service.weights.passing, Warning: service.weights.warning },
    EnableTagOverride: service.enableTagOverride,
  };
}

export function wireAddress({ address, port }: ServiceAddress): object {
  return { Address: address, Port: port };
}

const mostMeta = 64;
const largestWeight = 65_535;

function refuseMesh(fields: WireFields): void {
  const kind = fields.text("Kind");
  if (kind !== "")
    throw new WireMistake(`Kind ${JSON.stringify(kind)} belongs to a service mesh, which this agent has not`);
  for (const name of ["Connect", "Proxy"]) {
    const value = fields.raw(name);
    if (value !== undefined && Object.keys(value as object).length > 0)
      throw new WireMistake(`${name} belongs to a service mesh, which this agent has not; leave it out`);
  }
}

function parsePort(fields: WireFields): number {
  const port = fields.whole("Port");
  if (port < 0 || port > 65_535) throw new WireMistake(`Invalid Port ${port}: write a number from 0 to 65535`);
  return port;
}

function parseMeta(fields: WireFields): Readonly<Record<string, string>> {
  const meta = fields.map("Meta");
  const names = Object.keys(meta);
  if (names.length > mostMeta)
    throw new WireMistake(`Invalid Service Meta: Node metadata cannot contain more than ${mostMeta} key/value pairs`);
  for (const name of names) {
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name))
      throw new WireMistake(
        `Invalid Service Meta: Couldn't load metadata pair ('${name}', '${meta[name]}'): a name is 1 to 128 letters, digits, "-" and "_"`,
      );
    if (meta[name]!.length > 512)
      throw new WireMistake(
        `Invalid Service Meta: Couldn't load metadata pair ('${name}', …): Value is too long (limit: 512 characters)`,
      );
  }
  return meta;
}

function parseTagged(fields: WireFields): Readonly<Record<string, ServiceAddress>> {
  const entries = fields.entries("TaggedAddresses").map(([tag, value]): [string, ServiceAddress] => {
    const at = new WireFields(value, `the tagged address ${JSON.stringify(tag)}`);
    return [tag, { address: at.text("Address"), port: at.whole("Port") }];
  });
  return Object.fromEntries(entries);
}

// A service with an IP address of its own is known under it on both networks, where nothing else is said.
function defaultTagged(fields: WireFields, address: string, port: number): Readonly<Record<string, ServiceAddress>> {
  const family = isIP(address);
  if (family === 0) return {};
  const given = parseTagged(fields);
  const suffix = family === 4 ? "ipv4" : "ipv6";
  const tags = [`lan_${suffix}`, `wan_${suffix}`].filter((tag) => !(tag in given));
  return Object.fromEntries(tags.map((tag) => [tag, { address, port }]));
}

function parseWeights(fields: WireFields): ServiceDefinition["weights"] {
  const given = fields.raw("Weights");
  if (given === undefined) return { passing: 1, warning: 1 };
  const weights = new WireFields(given, "Weights");
  const passing = weights.whole("Passing");
  const warning = weights.whole("Warning");
  if (passing < 1) throw new WireMistake("Invalid Weights: Passing must be greater than 0");
  if (warning < 0) throw new WireMistake("Invalid Weights: Warning must be greater or equal than 0");
  if (Math.max(passing, warning) > largestWeight)
    throw new WireMistake(`Invalid Weights: Values for Weights must be <= ${largestWeight}`);
  return { passing, warning };
}

function parseChecks(fields: WireFields, service: ServiceDefinition): readonly CheckDefinition[] {
  const one = fields.raw("Check");
  const all = [...(one === undefined || isEmpty(one) ? [] : [one]), ...fields.list("Checks")];
  return all.map((value, i) => {
    const place = {
      serviceId: service.id,
      id: all.length === 1 ? `service:${service.id}` : `service:${service.id}:${i + 1}`,
      name: `Service '${service.name}' check`,
    };
    try {
      return { ...parseCheck(value, place), serviceId: service.id };
    } catch (error) {
      if (error instanceof WireMistake) throw new WireMistake(`Invalid check: ${error.message}`);
      throw error;
    }
  });
}

// Some clients always send the field.
function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

import { formatDuration, millisecond } from "@millwright/text/duration";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";
import type { CheckRecord, CheckStatus, NodeRecord, ServiceAddress, ServiceRecord, Text } from "./catalog-records.ts";
import { badRequest } from "./parameters.ts";

/** What `PUT /v1/catalog/register` asks for. */
export interface Registration {
  readonly datacenter: string;
  readonly node: NodeRecord;
  /** Leave a node that is there as it is. */
  readonly skipNodeUpdate: boolean;
  readonly service?: ServiceRecord;
  readonly checks: readonly CheckRecord[];
}

/** What `PUT /v1/catalog/deregister` asks for: a service, else a check, else the node with all that is on it. */
export interface Deregistration {
  readonly datacenter: string;
  readonly node: string;
  readonly serviceId: string;
  readonly checkId: string;
}

// Of namespaces, partitions and peers there is only the default; they are accepted and mean nothing.
const places = ["Namespace", "Partition", "PeerName", "EnterpriseMeta", "WriteRequest", "Locality"];

/** Reads a registration. Throws `WireMistake` for another shape, `badRequest` for what cannot be. */
export function parseRegistration(body: unknown): Registration {
  const known = ["Datacenter", "ID", "Node", "Address", "TaggedAddresses", "NodeMeta", "Service", "Check", "Checks"];
  const fields = fieldsOf(body, "the registration", [...known, "SkipNodeUpdate", ...places]);
  const node = parseNode(fields, "NodeMeta");
  const skipNodeUpdate = fields.flag("SkipNodeUpdate");
  if (node.name === "") throw badRequest("Must provide node");
  if (node.address === "" && !skipNodeUpdate) throw badRequest("Must provide address if SkipNodeUpdate is not set");
  const service = fields.has("Service") ? parseService(fields.raw("Service"), node.name) : undefined;
  const wires = [...(fields.has("Check") ? [fields.raw("Check")] : []), ...fields.list("Checks")];
  const checks = wires.map((wire) => {
    const check = parseCheck(wire, node.name);
    if (check.node === node.name) return check;
    throw badRequest(
      `Node '${check.node}' for check '${check.checkId}' doesn't match register request node '${node.name}'`,
    );
  });
  return { datacenter: fields.text("Datacenter"), node, skipNodeUpdate, checks, ...(service && { service }) };
}

/** Reads a deregistration. Throws `WireMistake` for another shape, `badRequest` for what cannot be. */
export function parseDeregistration(body: unknown): Deregistration {
  const known = ["Datacenter", "Node", "Address", "ServiceID", "CheckID", ...places];
  const fields = fieldsOf(body, "the deregistration", known);
  const node = fields.text("Node");
  if (node === "") throw badRequest("Must provide node");
  const [serviceId, checkId] = [fields.text("ServiceID"), fields.text("CheckID")];
  return { datacenter: fields.text("Datacenter"), node, serviceId, checkId };
}

/** Reads a node: from a registration, or where it stands alone (`metaField` is then "Meta"). Throws as {@link parseRegistration}. */
export function parseNode(fields: WireFields, metaField: "NodeMeta" | "Meta"): NodeRecord {
  const id = fields.text("ID");
  if (id !== "" && !isNodeId(id)) throw badRequest(`Bad node ID: ${JSON.stringify(id)} is no UUID`);
  return {
    name: printable(fields, "Node"),
    id,
    address: fields.text("Address"),
    taggedAddresses: mapOrNull(fields, "TaggedAddresses"),
    meta: mapOrNull(fields, metaField),
  };
}

/** The fields of a node that stands alone. */
export function nodeFields(wire: unknown): WireFields {
  const known = ["ID", "Node", "Address", "Datacenter", "TaggedAddresses", "Meta", "CreateIndex", "ModifyIndex"];
  return fieldsOf(wire, "the node", [...known, ...places]);
}

const meshFields = ["Kind", "Proxy", "Connect"] as const;

/** Reads one instance of a service. Throws as {@link parseRegistration}. */
export function parseService(wire: unknown, node: string): ServiceRecord {
  const fields = serviceFields(wire);
  const given = printable(fields, "ID");
  const name = printable(fields, "Service");
  if (name === "" && given !== "")
    throw badRequest("Must provide service name (Service.Service) when service ID is provided");
  if (name === "") throw badRequest("Must provide service name (Service.Service)");
  refuseMesh(fields);
  const address = fields.text("Address");
  if (/^(0\.0\.0\.0|::|\[::\])$/.test(address)) throw badRequest("Invalid service address");
  return {
    node,
    id: given || name,
    name,
    tags: fields.texts("Tags"),
    address,
    taggedAddresses: fields.has("TaggedAddresses") ? parseAddresses(fields) : null,
    meta: mapOrNull(fields, "Meta"),
    port: parsePort(fields),
    socketPath: fields.text("SocketPath"),
    weights: parseWeights(fields),
    enableTagOverride: fields.flag("EnableTagOverride"),
  };
}

/** The fields of a service. */
export function serviceFields(wire: unknown): WireFields {
  const known = ["ID", "Service", "Tags", "Address", "TaggedAddresses", "Meta", "Port", "SocketPath", "Weights"];
  const more = ["EnableTagOverride", "CreateIndex", "ModifyIndex", "LocallyRegisteredAsSidecar", ...meshFields];
  return fieldsOf(wire, "the service", [...known, ...more, ...places]);
}

// The mesh is not part of this server: what would need it is refused, what only mentions it is not.
function refuseMesh(fields: WireFields): void {
  if (fields.text("Kind") !== "")
    throw badRequest(`Kind ${JSON.stringify(fields.text("Kind"))}: this server has no service mesh`);
  const connect = new WireFields(fields.raw("Connect") ?? {}, "Connect");
  if (connect.has("SidecarService") || connect.flag("Native"))
    throw badRequest("Connect: this server has no service mesh");
}

function parseAddresses(fields: WireFields): Readonly<Record<string, ServiceAddress>> {
  return Object.fromEntries(
    fields.entries("TaggedAddresses").map(([name, wire]) => {
      const address = new WireFields(wire, `TaggedAddresses ${name}`);
      return [name, { address: address.text("Address"), port: address.whole("Port") }];
    }),
  );
}

function parsePort(fields: WireFields): number {
  const port = fields.whole("Port");
  if (port < 0 || port > 65_535) throw badRequest(`Port ${port} is not between 0 and 65535`);
  return port;
}

function parseWeights(fields: WireFields): { readonly passing: number; readonly warning: number } {
  if (!fields.has("Weights")) return { passing: 1, warning: 1 };
  const weights = new WireFields(fields.raw("Weights"), "Weights");
  const [passing, warning] = [weights.whole("Passing"), weights.whole("Warning")];
  if (passing < 0 || passing > 65_535 || warning < 0 || warning > 65_535)
    throw badRequest("Weights are not between 0 and 65535");
  // Clients written in Go send zeros where nothing was said.
  return passing === 0 && warning === 0 ? { passing: 1, warning: 1 } : { passing, warning };
}

/** Reads a check; `node` where it names none. Throws as {@link parseRegistration}. */
export function parseCheck(wire: unknown, node: string): CheckRecord {
  const fields = checkFields(wire);
  const checkId = printable(fields, "CheckID") || fields.text("Name");
  if (checkId === "") throw badRequest("Must provide the CheckID or the Name of a check");
  const definition = fields.has("Definition") ? parseDefinition(fields.raw("Definition")) : {};
  return {
    node: fields.text("Node") || node,
    checkId,
    name: fields.text("Name"),
    status: parseStatus(fields.text("Status")),
    notes: fields.text("Notes"),
    output: fields.text("Output"),
    serviceId: fields.text("ServiceID"),
    serviceName: fields.text("ServiceName"),
    serviceTags: fields.texts("ServiceTags"),
    type: fields.text("Type") || typeOf(definition),
    interval: durationOf(fields, "Interval"),
    timeout: durationOf(fields, "Timeout"),
    exposedPort: fields.whole("ExposedPort"),
    definition,
  };
}

/** The fields of a check. */
export function checkFields(wire: unknown): WireFields {
  const known = ["Node", "CheckID", "Name", "Status", "Notes", "Output", "ServiceID", "ServiceName", "ServiceTags"];
  const more = ["Type", "Interval", "Timeout", "ExposedPort", "Definition", "CreateIndex", "ModifyIndex"];
  return fieldsOf(wire, "the check", [...known, ...more, ...places]);
}

function parseStatus(text: string): CheckStatus {
  if (text === "") return "critical";
  if (text === "passing" || text === "warning" || text === "critical") return text;
  throw badRequest(`Bad check status: ${JSON.stringify(text)}; write passing, warning or critical`);
}

/** The fields of a definition, in the order in which they are shown. */
const definitionFields = {
  Interval: "duration",
  Timeout: "duration",
  DeregisterCriticalServiceAfter: "duration",
  HTTP: "text",
  TLSServerName: "text",
  TLSSkipVerify: "flag",
  Header: "header",
  Method: "text",
  Body: "text",
  DisableRedirects: "flag",
  TCP: "text",
  TCPUseTLS: "flag",
  UDP: "text",
  H2PING: "text",
  H2PingUseTLS: "flag",
  OSService: "text",
  OutputMaxSize: "whole",
  ScriptArgs: "texts",
  DockerContainerID: "text",
  Shell: "text",
  GRPC: "text",
  GRPCUseTLS: "flag",
  AliasNode: "text",
  AliasService: "text",
  TTL: "duration",
} as const;

const nanosecondNames = ["IntervalDuration", "TimeoutDuration", "DeregisterCriticalServiceAfterDuration"];

function parseDefinition(wire: unknown): Readonly<Record<string, unknown>> {
  const fields = fieldsOf(wire, "the definition", [...Object.keys(definitionFields), ...nanosecondNames]);
  const definition: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(definitionFields)) {
    const value = definitionField(fields, name, kind);
    if (value !== undefined) definition[name] = value;
  }
  return definition;
}

// Undefined for what is not given, or is as if it were not.
function definitionField(
  fields: WireFields,
  name: string,
  kind: (typeof definitionFields)[keyof typeof definitionFields],
) {
  switch (kind) {
    case "text":
      return fields.text(name) || undefined;
    case "flag":
      return fields.flag(name) || undefined;
    case "whole":
      return fields.whole(name) || undefined;
    case "duration":
      return durationOf(fields, name) || durationOf(fields, `${name}Duration`) || undefined;
    case "texts":
      return fields.texts(name).length > 0 ? fields.texts(name) : undefined;
    case "header":
      return fields.entries(name).length > 0 ? Object.fromEntries(fields.entries(name)) : undefined;
  }
}

function typeOf(definition: Readonly<Record<string, unknown>>): string {
  const types = { HTTP: "http", TCP: "tcp", UDP: "udp", GRPC: "grpc", H2PING: "h2ping", OSService: "os_service" };
  return Object.entries(types).find(([name]) => name in definition)?.[1] ?? ("TTL" in definition ? "ttl" : "");
}

function durationOf(fields: WireFields, name: string): string {
  const milliseconds = fields.milliseconds(name);
  return milliseconds === 0 ? "" : formatDuration(BigInt(Math.round(milliseconds)) * millisecond);
}

function mapOrNull(fields: WireFields, name: string): Text | null {
  return fields.has(name) ? fields.map(name) : null;
}

export function isNodeId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** A name: what cannot be seen cannot be found again, and it becomes a part of keys. */
export function printable(fields: WireFields, name: string): string {
  const text = fields.text(name);
  if (/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(text))
    throw badRequest(`${name} ${JSON.stringify(text)} has a character that cannot be printed`);
  return text;
}

// A misspelt field would else be lost without a word.
function fieldsOf(wire: unknown, what: string, known: readonly string[]): WireFields {
  const fields = new WireFields(wire, what);
  const unknown = fields.unknownOf(known);
  if (unknown !== undefined) throw new WireMistake(`${what} has an unknown field ${JSON.stringify(unknown)}`);
  return fields;
}

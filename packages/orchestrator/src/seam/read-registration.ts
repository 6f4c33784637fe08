import type { NodeCapacity, NodeDriver, NodeRegistration } from "@millwright/clients/nomad-node-protocol";
import { WireFields, WireMistake } from "@millwright/text/wire-fields";

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const largestPort = 65_535;

/** Reads what a node says of itself. Throws `WireMistake` for what no node of ours says. */
export function readRegistration(json: unknown): NodeRegistration {
  const fields = new WireFields(json, "the registration of the node");
  const id = fields.text("ID").toLowerCase();
  if (!uuid.test(id)) throw new WireMistake(`Bad node ID: ${JSON.stringify(id)} is no UUID`);
  for (const name of ["Name", "Datacenter", "Address", "HTTPAddress", "Key"])
    if (fields.text(name) === "") throw new WireMistake(`Missing node ${name}`);
  const ports = fieldsOf(fields, "DynamicPorts");
  return {
    ID: id,
    Name: fields.text("Name"),
    Datacenter: fields.text("Datacenter"),
    Region: fields.text("Region"),
    NodeClass: fields.text("NodeClass"),
    NodePool: fields.text("NodePool") || "default",
    Attributes: fields.map("Attributes"),
    Meta: fields.map("Meta"),
    Resources: readCapacity(fields, "Resources"),
    Reserved: readCapacity(fields, "Reserved"),
    ReservedPorts: fields.list("ReservedPorts").map(portOf),
    DynamicPorts: { From: portOf(ports.whole("From")), To: portOf(ports.whole("To")) },
    Drivers: readDrivers(fields.raw("Drivers")),
    HTTPAddress: fields.text("HTTPAddress"),
    Address: fields.text("Address"),
    Key: fields.text("Key"),
    Version: fields.text("Version"),
  };
}

function readCapacity(fields: WireFields, name: string): NodeCapacity {
  const inner = fieldsOf(fields, name);
  const amount = (field: string) => {
    const value = inner.whole(field);
    if (value < 0) throw new WireMistake(`${name}.${field} of a node cannot be ${value}`);
    return value;
  };
  return {
    CPU: amount("CPU"),
    Cores: amount("Cores"),
    MemoryMB: amount("MemoryMB"),
    DiskMB: amount("DiskMB"),
    MBits: amount("MBits"),
  };
}

function readDrivers(json: unknown): Readonly<Record<string, NodeDriver>> {
  const drivers = (json ?? {}) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(drivers).map(([name, value]) => {
      const fields = new WireFields(value, `the driver ${name} of the node`);
      const driver = {
        Detected: fields.flag("Detected"),
        Healthy: fields.flag("Healthy"),
        HealthDescription: fields.text("HealthDescription"),
        Attributes: fields.map("Attributes"),
      };
      return [name, driver];
    }),
  );
}

function fieldsOf(fields: WireFields, name: string): WireFields {
  return new WireFields(fields.raw(name) ?? {}, `${name} of the node`);
}

function portOf(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= largestPort) return value;
  throw new WireMistake(`A port of the node cannot be ${JSON.stringify(value)}`);
}

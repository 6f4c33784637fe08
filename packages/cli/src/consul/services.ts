import type { AgentDefinition } from "@millwright/clients/consul-agent";
import type { ServiceHealth } from "@millwright/clients/consul-health";
import { clientFlags, failureText, openClient } from "../commands/kv-client.ts";
import type { FlagTable, FlagValues } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { refuse, type ServiceCommand } from "./command.ts";
import { columns } from "../views/columns.ts";

const definitionFlags = {
  name: { kind: "string", value: "NAME", help: "The service's name." },
  id: { kind: "string", value: "ID", help: "Its id on this node; the name by default." },
  address: { kind: "string", value: "ADDRESS", help: "Its address; the node's by default." },
  port: { kind: "int", value: "PORT", help: "Its port." },
  tag: { kind: "strings", value: "TAG", help: "A tag; may be given several times." },
  meta: { kind: "strings", value: "KEY=VALUE", help: "Meta data; may be given several times." },
} as const satisfies FlagTable;

const registerFlags = { ...definitionFlags, ...clientFlags } as const satisfies FlagTable;

/** `services register`: with the agent that is asked. */
export const registerCommand: ServiceCommand<typeof registerFlags> = {
  usage: "services register [flags] [FILE...]",
  about: "Registers services on this node: of files in the agent's form (JSON or HCL), or one by flags.",
  examples: ["services register web.json", "services register -name=web -port=80 -tag=v1"],
  flags: registerFlags,
  run: async ({ values, args, io }) => {
    const given = await definitionsOf(values, args, io);
    if (typeof given === "number") return given;
    const client = openClient(values, io);
    try {
      for (const definition of given) {
        await client.agent.registerService(definition, { signal: io.signal });
        await io.stdout(`Registered service: ${nameOf(definition)}\n`);
      }
      return 0;
    } catch (error) {
      return refuse(io, `Error registering service: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

const deregisterFlags = {
  id: { kind: "string", value: "ID", help: "The id of the service to deregister." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `services deregister`: from the agent that is asked. */
export const deregisterCommand: ServiceCommand<typeof deregisterFlags> = {
  usage: "services deregister [flags] [FILE...]",
  about: "Deregisters services of this node: those of files in the agent's form, or one by its id.",
  examples: ["services deregister -id=web", "services deregister web.json"],
  flags: deregisterFlags,
  run: async ({ values, args, io }) => {
    if ((values.id === undefined) === (args.length === 0)) {
      return refuse(io, "Service deregistration requires at least one argument or -id, and not both: FILE, or -id=ID.");
    }
    const given = values.id === undefined ? await readDefinitions(args, io) : [{ id: values.id }];
    if (typeof given === "number") return given;
    const client = openClient(values, io);
    try {
      for (const definition of given) {
        const id = idOf(definition);
        await client.agent.deregisterService(id, { signal: io.signal });
        await io.stdout(`Deregistered service: ${id}\n`);
      }
      return 0;
    } catch (error) {
      return refuse(io, `Error deregistering service: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

const listFlags = {
  json: { kind: "bool", help: "Print JSON, as a list." },
  ...clientFlags,
} as const satisfies FlagTable;

/** `millwright services list`. */
export const listCommand: ServiceCommand<typeof listFlags> = {
  usage: "services list [flags]",
  about: "Shows the services of the datacenter, how many instances each has, and how many of those are healthy.",
  examples: ["services list", "services list -json"],
  flags: listFlags,
  run: async ({ values, args, io }) => {
    if (args.length > 0) return refuse(io, `Too many arguments (expected 0, got ${args.length})`);
    const client = openClient(values, io);
    try {
      const options = { signal: io.signal };
      const { value: services } = await client.catalog.services(options);
      const names = Object.keys(services).sort();
      if (names.length === 0 && !values.json) {
        await io.stdout(
          'No services are registered. Register one: "millwright services register -name=web -port=80".\n',
        );
        return 0;
      }
      const found: ServiceSummary[] = [];
      for (const name of names) {
        const { value } = await client.health.service(name, options);
        const healthy = value.filter((instance) => worstOf(instance) !== "critical").length;
        found.push({ name, instances: value.length, healthy, tags: services[name] ?? [] });
      }
      if (values.json) return await printJson(found, io);
      const rows = found.map(({ name, instances, healthy, tags }) => [
        ...[name, String(instances), String(healthy)],
        tags.join(","),
      ]);
      await io.stdout(columns([["Service", "Instances", "Healthy", "Tags"], ...rows]));
      return 0;
    } catch (error) {
      return refuse(io, `Error listing services: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

interface ServiceSummary {
  readonly name: string;
  readonly instances: number;
  readonly healthy: number;
  readonly tags: readonly string[];
}

async function printJson(value: unknown, io: CommandIo): Promise<0> {
  await io.stdout(`${JSON.stringify(value, null, 2)}\n`);
  return 0;
}

/** `millwright services show`. */
export const showCommand: ServiceCommand<typeof listFlags> = {
  usage: "services show [flags] NAME",
  about: "Shows the instances of a service: where they are, and what their checks say.",
  examples: ["services show web", "services show -json web"],
  flags: listFlags,
  run: async ({ values, args, io }) => {
    const [name] = args;
    if (name === undefined || args.length > 1) return refuse(io, "Name one service: millwright services show NAME");
    const client = openClient(values, io);
    try {
      const { value } = await client.health.service(name, { signal: io.signal });
      if (value.length === 0) {
        return refuse(
          io,
          `There is no service ${JSON.stringify(name)}. "millwright services list" shows all there are.`,
        );
      }
      if (values.json) return await printJson(value.map(instanceJson), io);
      const rows = value.map((instance) => {
        const { id, node, address, port, health, tags } = instanceJson(instance);
        const at = port === 0 ? address : `${address.includes(":") ? `[${address}]` : address}:${port}`;
        return [id, node, at, health, tags.join(",")];
      });
      await io.stdout(columns([["ID", "Node", "Address", "Health", "Tags"], ...rows]) + complaints(value));
      return 0;
    } catch (error) {
      return refuse(io, `Error reading service: ${failureText(error)}`);
    } finally {
      await client.close();
    }
  },
};

function instanceJson(instance: ServiceHealth) {
  const { node, service, checks } = instance;
  return {
    id: service.id,
    node: node.node,
    address: service.address || node.address,
    port: service.port,
    health: worstOf(instance),
    tags: service.tags,
    checks: checks.map(({ checkId, name, status, output }) => ({ id: checkId, name, status, output })),
  };
}

function worstOf({ checks }: ServiceHealth): "passing" | "warning" | "critical" {
  const statuses = checks.map(({ status }) => status);
  return statuses.includes("critical") ? "critical" : statuses.includes("warning") ? "warning" : "passing";
}

// What is wrong, in the checks' own words.
function complaints(instances: readonly ServiceHealth[]): string {
  const lines = instances.flatMap(({ node, checks }) =>
    checks
      .filter(({ status }) => status !== "passing")
      .map(({ name, checkId, status, output }) => {
        const said = output.trim().split("\n")[0] ?? "";
        return `${node.node}: ${name || checkId} is ${status}${said ? `: ${said}` : ""}\n`;
      }),
  );
  return lines.length === 0 ? "" : `\n${lines.join("")}`;
}

// The definitions, or the exit code after what is wrong with them was said.
async function definitionsOf(
  values: FlagValues<typeof definitionFlags>,
  files: readonly string[],
  io: CommandIo,
): Promise<readonly AgentDefinition[] | number> {
  if (files.length > 0) return readDefinitions(files, io);
  const { name, id, address, port, tag, meta } = values;
  if (name === undefined)
    return refuse(io, "Service registration requires at least one argument or flags: FILE, or -name=NAME.");
  const pairs = meta.map((text) => text.split("=", 2));
  if (pairs.some((pair) => pair.length < 2)) return refuse(io, "Write -meta=KEY=VALUE.");
  return [
    {
      Name: name,
      ...(id === undefined ? {} : { ID: id }),
      ...(address === undefined ? {} : { Address: address }),
      ...(port === undefined ? {} : { Port: port }),
      ...(tag.length > 0 ? { Tags: tag } : {}),
      ...(pairs.length > 0 ? { Meta: Object.fromEntries(pairs) as Record<string, string> } : {}),
    },
  ];
}

// Reading configuration files takes parsers that no other command here needs.
async function readDefinitions(files: readonly string[], io: CommandIo): Promise<readonly AgentDefinition[] | number> {
  return (await import("./definition-files.ts")).readDefinitions(files, io);
}

function nameOf(definition: AgentDefinition): string {
  return fieldOf(definition, "name") ?? "";
}

function idOf(definition: AgentDefinition): string {
  return fieldOf(definition, "id") ?? nameOf(definition);
}

// Names of fields come in CamelCase or snake_case.
function fieldOf(definition: AgentDefinition, wanted: string): string | undefined {
  const [, value] = Object.entries(definition).find(([name]) => name.toLowerCase() === wanted) ?? [];
  return typeof value === "string" && value !== "" ? value : undefined;
}

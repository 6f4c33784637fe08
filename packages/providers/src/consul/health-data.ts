import type { HealthCheck, ServiceHealth, ServiceHealthOptions } from "@millwright/clients/consul-health";
import { uses } from "@millwright/provider/call";
import { defineDataSource } from "@millwright/provider/data-source";
import { bool, computed, list, map, number, object, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import type { ConsulConnection } from "./connection.ts";
import { durationSeconds } from "./durations.ts";

const checkType = object({
  ...{ id: string, name: string, node: string, notes: string, output: string, status: string },
  ...{ service_id: string, service_name: string, service_tags: list(string) },
});
const nodeType = object({
  ...{ id: string, name: string, address: string, datacenter: string },
  ...{ meta: map(string), tagged_addresses: map(string) },
});
const serviceType = object({
  ...{ id: string, name: string, address: string, port: number, tags: list(string), meta: map(string) },
});

/** `data "consul_service_health"`: the instances of a service with their health; those that pass alone, if nothing else is said. */
export const consulServiceHealthData = defineDataSource({
  client: uses<ConsulConnection>(),
  schema: {
    name: required(string),
    datacenter: optional(string, { description: "The provider's when left out." }),
    tag: optional(string, { description: "Only instances with this tag." }),
    passing: optional(bool, { description: "Only instances all of whose checks pass; true when left out." }),
    near: optional(string, { description: "Sorts by the distance from this node." }),
    node_meta: optional(map(string), { description: "Only instances on nodes that have all of these." }),
    filter: optional(string),
    wait_for: optional(string, {
      check: (text) => (durationSeconds(text) === undefined ? "Write a duration, such as 30s." : undefined),
      description: "How long to wait for an instance where there is none, as 30s.",
    }),
    id: optional(string, { computed: true }),
    results: computed(list(object({ node: list(nodeType), service: list(serviceType), checks: list(checkType) }))),
  },
  read: async ({ client: connection, config, signal }) => {
    const { name, datacenter, tag, passing, near, node_meta, filter } = config;
    const options = await connection.optionsFor({ datacenter, namespace: null, partition: null, token: null }, signal);
    const wanted = {
      ...options,
      passing: passing ?? true,
      ...(tag ? { tags: [tag] } : {}),
      ...(near ? { near } : {}),
      ...(node_meta ? { nodeMeta: node_meta } : {}),
      ...(filter ? { filter } : {}),
    };
    const found = await instances(connection, name, wanted, { signal, wait: config.wait_for });
    const id = `service-health-${options.datacenter}-${JSON.stringify(name)}-${JSON.stringify(tag ?? "")}`;
    return { ...config, id, datacenter: options.datacenter, passing: passing ?? true, results: found.map(resultOf) };
  },
});

async function instances(
  { client }: ConsulConnection,
  name: string,
  options: ServiceHealthOptions,
  { signal, wait }: { readonly signal: AbortSignal; readonly wait: string | null },
): Promise<readonly ServiceHealth[]> {
  const { value } = await client.health.service(name, options);
  if (value.length > 0 || wait === null) return value;
  const within = AbortSignal.timeout((durationSeconds(wait) ?? 0) * 1000);
  const watch = client.health.watchService(name, { ...options, signal: AbortSignal.any([signal, within]) });
  for await (const answer of watch) if (answer.value.length > 0) return answer.value;
  signal.throwIfAborted();
  const what = options.passing ? "healthy instance" : "instance";
  throw failure(`No ${what} of ${name}`, `There was none within ${wait}, which wait_for allows.`, ["wait_for"]);
}

function resultOf({ node, service, checks }: ServiceHealth) {
  const { address, datacenter, meta, taggedAddresses } = node;
  const { service: name, port, tags } = service;
  return {
    node: [{ id: node.id, name: node.node, address, datacenter, meta, tagged_addresses: taggedAddresses }],
    service: [{ id: service.id, name, address: service.address, port, tags, meta: service.meta }],
    checks: checks.map(checkOf),
  };
}

function checkOf({ checkId, name, node, notes, output, status, serviceId, serviceName, serviceTags }: HealthCheck) {
  const service = { service_id: serviceId, service_name: serviceName, service_tags: serviceTags };
  return { id: checkId, name, node, notes, output, status, ...service };
}

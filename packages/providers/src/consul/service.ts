import type { NodeService } from "@millwright/clients/consul-catalog";
import { uses } from "@millwright/provider/call";
import type { PlanOf, StateOf } from "@millwright/provider/field-types";
import { blocks, bool, list, map, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import type { ConsulConnection } from "./connection.ts";
import { whereFields } from "./fields.ts";
import { blockOf, type Check, checkFields, registrationOf } from "./service-checks.ts";

const fields = {
  datacenter: whereFields.datacenter,
  namespace: optional(string, { default: "", replaceOnChange: true, description: "Of Consul Enterprise." }),
  partition: optional(string, { default: "", replaceOnChange: true, description: "Of Consul Enterprise." }),
  name: required(string, { replaceOnChange: true }),
  node: required(string, { replaceOnChange: true, description: "The node it is on, which has to be there." }),
  service_id: optional(string, { computed: true, stable: true, replaceOnChange: true }),
  address: optional(string, { computed: true, stable: true, description: "The node's when left out." }),
  port: optional(number, { default: 0 }),
  tags: optional(list(string)),
  meta: optional(map(string)),
  enable_tag_override: optional(bool, { default: false }),
  external: optional(bool, { deprecated: "It is not needed, and says nothing." }),
  check: blocks.set(checkFields),
  id: optional(string, { computed: true, stable: true }),
};

type Plan = PlanOf<typeof fields>;
type State = StateOf<typeof fields>;

/**
 * `consul_service`: an instance of a service on a node that runs no agent (an agent takes out of the catalog what it does not
 * know). Checks are only described: who runs them, such as consul-esm, is told how.
 */
export const consulService = defineResource({
  client: uses<ConsulConnection>(),
  typeSystem: "legacy",
  schema: fields,
  plan: ({ config, plan, state }) => {
    const before = state?.check ?? [];
    // A status that was left out is whoever's who looks: it stays as it is.
    const check = plan.check?.map((block) => {
      const wanted = config.check?.find((c) => c?.check_id === block?.check_id);
      if (!block || wanted?.status !== null) return block;
      return { ...block, status: before.find((old) => old.check_id === block.check_id)?.status ?? "critical" };
    });
    const same = <T>(planned: T | undefined, old: T | null | undefined) =>
      planned === null && old && Object.keys(old).length === 0 ? old : planned;
    return { plan: { check, tags: same(plan.tags, state?.tags), meta: same(plan.meta, state?.meta) } };
  },
  create: async ({ client: connection, plan, signal }) => write(connection, plan, [], signal),
  read: ({ client: connection, state, signal }) => look(connection, state, signal),
  update: ({ client: connection, plan, state, signal }) => write(connection, plan, state.check, signal),
  delete: async ({ client: connection, state, signal }) => {
    const options = await connection.optionsFor({ token: null, ...state }, signal);
    await connection.client.catalog.deregister({ node: state.node, serviceId: state.service_id }, options);
  },
  interrupted: async ({ client: connection, sent, signal }) => {
    const { node, name, service_id, datacenter } = sent;
    if (node === null || name === null)
      throw failure("The name is not known", "A service is found by its node and name, which were not kept.");
    const id = service_id ?? name;
    const place = { node, name, service_id: id, id, namespace: sent.namespace ?? "", partition: sent.partition ?? "" };
    const found = { ...unsaid, ...place, datacenter: datacenter ?? "", external: sent.external };
    return look(connection, found, signal);
  },
});

const unsaid = { address: "", port: 0, tags: null, meta: null, enable_tag_override: false, check: [] } as const;

/** Marks what was registered so, in the meta that Consul's own tools look at. */
const source = { "external-source": "terraform" };

async function write(
  connection: ConsulConnection,
  plan: Plan,
  before: readonly Check[],
  signal: AbortSignal,
): Promise<State> {
  const options = await connection.optionsFor({ token: null, ...plan }, signal);
  const { catalog } = connection.client;
  const { value: there } = await catalog.node(plan.node, options);
  if (!there) {
    const advice = "Make it with a consul_node, and refer to that one's name, so that it is there first.";
    throw failure(`No such node: ${plan.node}`, `A service is registered on a node of the catalog. ${advice}`, [
      "node",
    ]);
  }
  const id = plan.service_id || plan.name;
  const { tags, meta, port, enable_tag_override } = plan;
  const address = plan.address || there.node.address;
  const service = { service: plan.name, id, address, port, tags: tags ?? [], meta: { ...source, ...meta } };
  const checks = plan.check.map((check) => registrationOf(check, id));
  const place = { node: plan.node, address: there.node.address, skipNodeUpdate: true };
  await catalog.register(
    { ...place, service: { ...service, enableTagOverride: enable_tag_override }, checks },
    options,
  );
  const kept = new Set(checks.map(({ checkId }) => checkId));
  for (const { check_id: checkId } of before)
    if (!kept.has(checkId)) await catalog.deregister({ node: plan.node, checkId }, options);
  const check = plan.check.map((block) => ({ ...block, status: block.status ?? "critical" }));
  return { ...plan, id, service_id: id, address, check, datacenter: options.datacenter };
}

/** What is there of the service now; null where it, or its node, is gone. */
async function look(connection: ConsulConnection, state: State, signal: AbortSignal): Promise<State | null> {
  const options = await connection.optionsFor({ token: null, ...state }, signal);
  const { value } = await connection.client.catalog.node(state.node, options);
  const found = value?.services.find(({ id }) => id === state.service_id);
  if (!found) return null;
  const { value: checks } = await connection.client.health.node(state.node, options);
  const check = checks
    .filter(({ serviceId }) => serviceId === state.service_id)
    .map((one) =>
      blockOf(
        one,
        state.check.find((old) => old.check_id === one.checkId),
      ),
    );
  return { ...state, ...told(found, state), check, datacenter: options.datacenter };
}

function told({ service, address, port, tags, meta, enableTagOverride }: NodeService, before: State) {
  const isMark = ([name, value]: readonly [string, string]) =>
    name === "external-source" && value === source[name] && before.meta?.[name] === undefined;
  const said = Object.fromEntries(Object.entries(meta).filter((entry) => !isMark(entry)));
  return {
    ...{ name: service, address, port, enable_tag_override: enableTagOverride },
    tags: tags.length === 0 && before.tags === null ? null : tags,
    meta: Object.keys(said).length === 0 && before.meta === null ? null : said,
  };
}

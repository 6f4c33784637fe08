import { uses } from "@millwright/provider/call";
import { required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import { deleteIfThere, readIfThere, textAt } from "./answers.ts";
import type { VaultConnection } from "./connection.ts";
import { pathFault, placeFields } from "./fields.ts";

/** `vault_policy`: a policy by its name, as text. */
export const vaultPolicy = defineResource({
  client: uses<VaultConnection>(),
  typeSystem: "legacy",
  schema: {
    ...placeFields,
    name: required(string, { replaceOnChange: true, check: pathFault }),
    policy: required(string),
  },
  create: async ({ client: connection, plan, signal }) => {
    await write(connection, plan, signal);
    return { ...plan, id: plan.name };
  },
  read: async ({ client: connection, state, signal }) => {
    const policy = await policyText(connection, state, signal);
    return policy === undefined ? null : { ...state, policy };
  },
  update: async ({ client: connection, plan, state, signal }) => {
    await write(connection, plan, signal);
    return { ...plan, id: state.id };
  },
  delete: async ({ client: connection, state, signal }) =>
    deleteIfThere(connection.client, pathOf(state), await connection.optionsFor(state, signal)),
  import: async ({ client: connection, id, signal }) => {
    const policy = await policyText(connection, { namespace: null, name: id }, signal);
    if (policy === undefined) throw failure("No such policy", `There is no policy ${JSON.stringify(id)}.`);
    return { namespace: null, name: id, id, policy };
  },
  interrupted: async ({ client: connection, sent: { namespace, name }, signal }) => {
    if (name === null) throw failure("The name is not known", "A policy is found by its name, which was not kept.");
    const policy = await policyText(connection, { namespace, name }, signal);
    return policy === undefined ? null : { namespace, name, id: name, policy };
  },
});

interface Named {
  readonly namespace: string | null;
  readonly name: string;
}

function pathOf({ name }: Pick<Named, "name">): string {
  return `sys/policies/acl/${name}`;
}

async function write(connection: VaultConnection, plan: Named & { readonly policy: string }, signal: AbortSignal) {
  const options = await connection.optionsFor(plan, signal);
  await connection.client.write(pathOf(plan), { policy: plan.policy }, options);
}

async function policyText(connection: VaultConnection, named: Named, signal: AbortSignal): Promise<string | undefined> {
  const found = await readIfThere(connection.client, pathOf(named), await connection.optionsFor(named, signal));
  return found?.data && textAt(found.data, "policy");
}

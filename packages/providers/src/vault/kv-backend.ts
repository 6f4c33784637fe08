import { uses } from "@millwright/provider/call";
import type { StateOf } from "@millwright/provider/field-types";
import { bool, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import { defineResource } from "@millwright/provider/resource";
import { boolAt, isGone, keepEmpty, numberAt, readIfThere } from "./answers.ts";
import type { VaultConnection } from "./connection.ts";
import { pathFault, placeFields, trimmedPath } from "./fields.ts";

const fields = {
  ...placeFields,
  mount: required(string, { replaceOnChange: true, check: pathFault }),
  max_versions: optional(number, { computed: true, stable: true }),
  cas_required: optional(bool, { computed: true, stable: true }),
  delete_version_after: optional(number, { description: "Seconds." }),
};

type State = StateOf<typeof fields>;

/** `vault_kv_secret_backend_v2`: what holds for every secret of an engine that keeps versions. Its end puts the defaults back. */
export const vaultKvSecretBackendV2 = defineResource({
  client: uses<VaultConnection>(),
  typeSystem: "legacy",
  schema: fields,
  plan: ({ plan: { delete_version_after }, state }) => ({
    plan: { delete_version_after: keepEmpty(delete_version_after, state?.delete_version_after) },
  }),
  create: ({ client: connection, plan, signal }) => write(connection, plan, signal),
  read: ({ client: connection, state, signal }) => look(connection, state, signal),
  update: ({ client: connection, plan, signal }) => write(connection, plan, signal),
  delete: async ({ client: connection, state, signal }) => {
    const defaults = { max_versions: 0, cas_required: false, delete_version_after: "0s" };
    try {
      await connection.client.write(configPath(state), defaults, await connection.optionsFor(state, signal));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  },
  import: async ({ client: connection, id, signal }) => {
    const mount = trimmedPath(id).replace(/\/config$/, "");
    const found = await look(connection, { namespace: null, mount, delete_version_after: null }, signal);
    if (!found) throw failure("No such mount", `There is no configuration to read at ${id}.`);
    return found;
  },
  // The settings are there whoever wrote them: writing them a second time does no harm.
  interrupted: () => null,
});

type Place = Pick<State, "namespace" | "mount" | "delete_version_after">;

function configPath({ mount }: Pick<Place, "mount">): string {
  return `${trimmedPath(mount)}/config`;
}

async function write(
  connection: VaultConnection,
  plan: Place & { readonly max_versions: number | undefined; readonly cas_required: boolean | undefined },
  signal: AbortSignal,
): Promise<State> {
  const { max_versions, cas_required, delete_version_after } = plan;
  const body = {
    ...(max_versions === undefined ? {} : { max_versions }),
    ...(cas_required === undefined ? {} : { cas_required }),
    ...(delete_version_after === null ? {} : { delete_version_after: `${delete_version_after}s` }),
  };
  await connection.client.write(configPath(plan), body, await connection.optionsFor(plan, signal));
  const found = await look(connection, plan, signal);
  if (found) return found;
  throw failure("No such mount", `There is no configuration to read at ${configPath(plan)}.`);
}

async function look(connection: VaultConnection, place: Place, signal: AbortSignal): Promise<State | null> {
  const found = await readIfThere(connection.client, configPath(place), await connection.optionsFor(place, signal));
  if (!found?.data) return null;
  const seconds = numberAt(found.data, "delete_version_after");
  return {
    namespace: place.namespace,
    id: configPath(place),
    mount: place.mount,
    max_versions: numberAt(found.data, "max_versions"),
    cas_required: boolAt(found.data, "cas_required"),
    delete_version_after: seconds === 0 && place.delete_version_after === null ? null : seconds,
  };
}

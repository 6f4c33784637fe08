import type { Chance } from "@millwright/core/ports";
import { computed, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import type { Resource } from "@millwright/provider/resource";
import { defineResource } from "@millwright/provider/resource";
import { keepers } from "./keepers.ts";

/** `random_uuid`: a UUID of chance (version 4). */
export function randomUuid(chance: Chance): Resource<unknown> {
  return defineResource({
    schema: { keepers, result: computed(string, { stable: true }), id: computed(string, { stable: true }) },
    create: ({ plan }) => {
      const result = chance.uuid();
      return { ...plan, result, id: result };
    },
    read: ({ state }) => state,
    update: ({ plan, state: { result, id } }) => ({ ...plan, result, id }),
    delete: () => undefined,
    interrupted: "nothing-outside",
    import: ({ id }) => {
      if (!/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(id)) {
        throw failure(
          "Import Random UUID Error",
          `${JSON.stringify(id)} is no UUID: 32 hexadecimal digits in groups of 8-4-4-4-12 are expected.`,
        );
      }
      const result = id.toLowerCase();
      return { keepers: null, result, id: result };
    },
  });
}

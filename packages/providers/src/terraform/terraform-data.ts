import type { Chance } from "@millwright/core/ports";
import { computed, dynamic, optional, string } from "@millwright/provider/fields";
import type { Resource } from "@millwright/provider/resource";
import { defineResource } from "@millwright/provider/resource";
import type { JsonObject } from "@millwright/provider/state-json";
import { rawEquals } from "@millwright/value/operations";
import type { Value } from "@millwright/value/value";
import { isKnown, isNull, nullValue, unknownValue } from "@millwright/value/value";

/**
 * `terraform_data`: remembers a value, and is a reason to replace other resources. It manages nothing outside of the state.
 *
 * `output` is `input` as of the last apply; a change of `triggers_replace` makes a new object with a new `id`.
 */
export function terraformData(chance: Chance): Resource<unknown> {
  return defineResource({
    schema: {
      input: optional(dynamic),
      output: computed(dynamic, { stable: true }),
      triggers_replace: optional(dynamic, { replaceOnChange: true }),
      id: computed(string, { stable: true }),
    },
    plan: ({ state, plan: { input, triggers_replace } }) => {
      if (!state || !rawEquals(state.triggers_replace, triggers_replace)) return { plan: { output: outputOf(input) } };
      return rawEquals(state.input, input) ? undefined : { plan: { output: unknownValue(input.type) } };
    },
    create: ({ plan }) => ({ ...plan, output: plan.input, id: plan.id ?? chance.uuid() }),
    read: ({ state }) => state,
    update: ({ plan, state }) => ({ ...plan, output: plan.input, id: state.id }),
    delete: () => undefined,
    import: ({ id }) => ({ id, input: nothing, output: nothing, triggers_replace: nothing }),
    interrupted: "nothing-outside",
    moves: [{ provider: "registry.terraform.io/hashicorp/null", type: "null_resource", move: fromNullResource }],
  });
}

const nothing: Value = nullValue({ kind: "dynamic" });

/** A new object's output has the input's type, so that what depends on it can be planned; of null there is nothing to wait for. */
function outputOf(input: Value): Value {
  return isKnown(input) && isNull(input) ? input : unknownValue(input.type);
}

/** A null_resource has an id and a map of triggers, which become the object that triggers a replacement. */
function fromNullResource({ id, triggers }: JsonObject): JsonObject {
  const isRecord = typeof triggers === "object" && triggers !== null && !Array.isArray(triggers);
  const names = isRecord ? Object.keys(triggers) : [];
  const type = ["object", Object.fromEntries(names.map((name) => [name, "string"]))];
  return { id: id ?? null, triggers_replace: isRecord ? { value: triggers, type } : null };
}

import type { Chance } from "@millwright/core/ports";
import { computed, list, nullable, number, optional, required, string } from "@millwright/provider/fields";
import type { Resource } from "@millwright/provider/resource";
import { defineResource } from "@millwright/provider/resource";
import { shuffled } from "./chances.ts";
import { keepers } from "./keepers.ts";
import { SeededRandom } from "./seeded-random.ts";

/** `random_shuffle`: the elements of a list in an order of chance; with a seed always the same one. */
export function randomShuffle(chance: Chance): Resource<unknown> {
  const texts = list(nullable(string));
  return defineResource({
    schema: {
      keepers,
      seed: optional(string, { replaceOnChange: true, description: "The same seed and input give the same order." }),
      input: required(texts, { replaceOnChange: true }),
      result_count: optional(number, {
        replaceOnChange: true,
        description: "How many elements the result has; more than the input has repeat it in further orders.",
        check: (count) => (count >= 0 ? undefined : "The count must not be negative."),
      }),
      result: computed(texts, { stable: true }),
      id: computed(string, { stable: true }),
    },
    create: ({ plan }) => {
      const seeded = plan.seed ? new SeededRandom(plan.seed) : undefined;
      const next = () =>
        seeded ? seeded.order(plan.input.length).map((i) => plan.input[i]!) : shuffled(plan.input, chance);
      const count = plan.input.length === 0 ? 0 : (plan.result_count ?? plan.input.length);
      const result: (string | null)[] = [];
      while (result.length < count) result.push(...next().slice(0, count - result.length));
      return { ...plan, result, id: "-" };
    },
    read: ({ state }) => state,
    update: ({ plan, state: { result, id } }) => ({ ...plan, result, id }),
    delete: () => undefined,
    interrupted: "nothing-outside",
  });
}

import type { Chance } from "@millwright/core/ports";
import { computed, number, optional, required, string } from "@millwright/provider/fields";
import { failure, problem } from "@millwright/provider/problem";
import type { Resource } from "@millwright/provider/resource";
import { defineResource } from "@millwright/provider/resource";
import { below } from "./chances.ts";
import { keepers } from "./keepers.ts";
import { SeededRandom } from "./seeded-random.ts";

/** `random_integer`: a whole number from `min` to `max`, both included; with a seed always the same one. */
export function randomInteger(chance: Chance): Resource<unknown> {
  const bound = { replaceOnChange: true, check: safeInteger } as const;
  return defineResource({
    schema: {
      keepers,
      min: required(number, bound),
      max: required(number, bound),
      seed: optional(string, { replaceOnChange: true, description: "The same seed and bounds give the same number." }),
      result: computed(number, { stable: true }),
      id: computed(string, { stable: true }),
    },
    *validate({ config: { min, max } }) {
      if (min !== undefined && max !== undefined && max < min) {
        yield problem("Invalid attribute combination", `min (${min}) must not be above max (${max}).`, ["min"]);
      }
    },
    create: ({ plan }) => {
      const { min, max, seed } = plan;
      if (max < min)
        throw failure("Create Random Integer Error", `min (${min}) must not be above max (${max}).`, ["min"]);
      const range = max - min + 1;
      const result = min + (seed ? new SeededRandom(seed).below(range) : below(range, chance));
      return { ...plan, result, id: String(result) };
    },
    read: ({ state }) => state,
    update: ({ plan, state: { result, id } }) => ({ ...plan, result, id }),
    delete: () => undefined,
    interrupted: "nothing-outside",
    import: ({ id }) => {
      const [result = "", min = "", max = "", seed = null, ...more] = id.split(",");
      const numbers = [result, min, max];
      if (
        more.length > 0 ||
        numbers.some((text) => !/^[+-]?\d+$/.test(text) || safeInteger(Number(text)) !== undefined)
      ) {
        throw failure("Import Random Integer Error", "The ID has to be RESULT,MIN,MAX or RESULT,MIN,MAX,SEED.");
      }
      return { keepers: null, result: Number(result), min: Number(min), max: Number(max), seed, id: result };
    },
  });
}

function safeInteger(value: number): string | undefined {
  return Number.isSafeInteger(value) ? undefined : "A whole number between -(2^53 - 1) and 2^53 - 1 is expected.";
}

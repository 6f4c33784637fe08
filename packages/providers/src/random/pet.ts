import type { Chance } from "@millwright/core/ports";
import { computed, number, optional, string } from "@millwright/provider/fields";
import type { Resource } from "@millwright/provider/resource";
import { defineResource } from "@millwright/provider/resource";
import { below } from "./chances.ts";
import { keepers } from "./keepers.ts";
import { adjectives, adverbs, animals } from "./pet-words.ts";

/** `random_pet`: a name that people can say, such as `quiet-otter`. */
export function randomPet(chance: Chance): Resource<unknown> {
  return defineResource({
    schema: {
      keepers,
      length: optional(number, {
        replaceOnChange: true,
        default: 2,
        check: atLeastOne,
        description: "How many words, before the prefix.",
      }),
      prefix: optional(string, { replaceOnChange: true }),
      separator: optional(string, { replaceOnChange: true, default: "-" }),
      id: computed(string, { stable: true }),
    },
    create: ({ plan }) => {
      const prefix = plan.prefix === "" ? null : plan.prefix;
      const words = [...(prefix === null ? [] : [prefix]), ...petWords(plan.length, chance)];
      return { ...plan, id: words.join(plan.separator) };
    },
    read: ({ state }) => state,
    update: ({ plan, state }) => ({ ...plan, id: state.id }),
    delete: () => undefined,
    interrupted: "nothing-outside",
  });
}

function atLeastOne(length: number): string | undefined {
  return length >= 1 ? undefined : "At least 1 word is needed.";
}

/** The last word is an animal, the one before it an adjective, and all before that are adverbs. */
function petWords(length: number, chance: Chance): string[] {
  return Array.from({ length: Math.max(0, length) }, (_, i) => {
    const fromEnd = length - 1 - i;
    const words = fromEnd === 0 ? animals : fromEnd === 1 ? adjectives : adverbs;
    return words[below(words.length, chance)]!;
  });
}

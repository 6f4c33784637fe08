import type { Chance } from "@millwright/core/ports";
import type { EphemeralResource } from "@millwright/provider/ephemeral-resource";
import { defineEphemeralResource } from "@millwright/provider/ephemeral-resource";
import { bool, computed, number, optional, required, string } from "@millwright/provider/fields";
import { bcryptHash } from "./bcrypt.ts";
import { checkWishes, randomText } from "./text.ts";

/** The ephemeral `random_password`: another one at each run, recorded nowhere. */
export function ephemeralPassword(chance: Chance): EphemeralResource<unknown> {
  const inferred = { computed: true } as const;
  return defineEphemeralResource({
    schema: {
      length: required(number, { description: "How many characters." }),
      special: optional(bool, inferred),
      upper: optional(bool, inferred),
      lower: optional(bool, inferred),
      numeric: optional(bool, inferred),
      min_numeric: optional(number, inferred),
      min_upper: optional(number, inferred),
      min_lower: optional(number, inferred),
      min_special: optional(number, inferred),
      override_special: optional(string, { description: "The special characters to use." }),
      result: computed(string, { sensitive: true }),
      bcrypt_hash: computed(string, { sensitive: true }),
    },
    validate: ({ config }) => checkWishes(config, [config.numeric]),
    open: async ({ config }) => {
      const wishes = {
        ...config,
        special: config.special ?? true,
        upper: config.upper ?? true,
        lower: config.lower ?? true,
        numeric: config.numeric ?? true,
        min_numeric: config.min_numeric ?? 0,
        min_upper: config.min_upper ?? 0,
        min_lower: config.min_lower ?? 0,
        min_special: config.min_special ?? 0,
      };
      const result = randomText(wishes, chance);
      return { result: { ...wishes, result, bcrypt_hash: await bcryptHash(result, chance) } };
    },
  });
}

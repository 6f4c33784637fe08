import type { Chance } from "@millwright/core/ports";
import { systemChance } from "@millwright/core/ports";
import type { DefinedProvider } from "@millwright/provider/define";
import { defineProvider } from "@millwright/provider/define";
import { randomBytes } from "./bytes.ts";
import { randomId } from "./id.ts";
import { randomInteger } from "./integer.ts";
import { ephemeralPassword } from "./password-ephemeral.ts";
import { randomPet } from "./pet.ts";
import { randomShuffle } from "./shuffle.ts";
import { randomPassword, randomString } from "./string.ts";
import { randomUuid } from "./uuid.ts";

/** `hashicorp/random`: values of chance that stay as they are until their keepers change. */
export function randomProvider(chance: Chance = systemChance): DefinedProvider {
  return defineProvider({
    name: "random",
    version: "3.7.2",
    configure: () => undefined,
    resources: {
      random_bytes: randomBytes(chance),
      random_id: randomId(chance),
      random_integer: randomInteger(chance),
      random_password: randomPassword(chance),
      random_pet: randomPet(chance),
      random_shuffle: randomShuffle(chance),
      random_string: randomString(chance),
      random_uuid: randomUuid(chance),
    },
    ephemeralResources: { random_password: ephemeralPassword(chance) },
  });
}

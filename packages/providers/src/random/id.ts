import type { Chance } from "@millwright/core/ports";
import { computed, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import type { Resource } from "@millwright/provider/resource";
import { defineResource } from "@millwright/provider/resource";
import { keepers } from "./keepers.ts";

/** `random_id`: bytes of chance as a short name; in several spellings. */
export function randomId(chance: Chance): Resource<unknown> {
  const spelling = { stable: true } as const;
  return defineResource({
    schema: {
      keepers,
      byte_length: required(number, {
        replaceOnChange: true,
        check: atLeastOne,
        description: "How many bytes of chance.",
      }),
      prefix: optional(string, {
        replaceOnChange: true,
        description: "Put before each spelling but the id, as it is.",
      }),
      b64_url: computed(string, spelling),
      b64_std: computed(string, spelling),
      hex: computed(string, spelling),
      dec: computed(string, spelling),
      id: computed(string, { ...spelling, description: "The bytes in base64 for URLs, without the prefix." }),
    },
    create: ({ plan }) => ({ ...plan, ...spellings(chance.bytes(plan.byte_length), plan.prefix ?? "") }),
    read: ({ state }) => state,
    update: ({ plan, state: { b64_url, b64_std, hex, dec, id } }) => ({ ...plan, b64_url, b64_std, hex, dec, id }),
    delete: () => undefined,
    interrupted: "nothing-outside",
    import: ({ id: given }) => {
      const cut = given.lastIndexOf(",");
      const prefix = given.slice(0, Math.max(cut, 0));
      const id = given.slice(cut + 1);
      if (!/^[A-Za-z0-9_-]+$/.test(id)) {
        throw failure(
          "Import Random ID Error",
          `${JSON.stringify(id)} is no base64 for URLs. Give the id, or PREFIX,ID where it has a prefix.`,
        );
      }
      const bytes = Buffer.from(id, "base64url");
      return {
        keepers: null,
        byte_length: bytes.length,
        prefix: prefix === "" ? null : prefix,
        ...spellings(bytes, prefix),
      };
    },
  });
}

function atLeastOne(length: number): string | undefined {
  return length >= 1 ? undefined : "At least 1 byte is needed.";
}

function spellings(bytes: Uint8Array, prefix: string) {
  const buffer = Buffer.from(bytes);
  const id = buffer.toString("base64url");
  const hex = buffer.toString("hex");
  return {
    id,
    b64_url: prefix + id,
    b64_std: prefix + buffer.toString("base64"),
    hex: prefix + hex,
    dec: prefix + BigInt(`0x0${hex}`).toString(),
  };
}

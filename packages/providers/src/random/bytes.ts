import type { Chance } from "@millwright/core/ports";
import { computed, map, nullable, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import type { Resource } from "@millwright/provider/resource";
import { defineResource } from "@millwright/provider/resource";

/** `random_bytes`: bytes of chance as a secret. */
export function randomBytes(chance: Chance): Resource<unknown> {
  const secret = { stable: true, sensitive: true } as const;
  return defineResource({
    schema: {
      keepers: optional(map(nullable(string)), { replaceOnChange: true }),
      length: required(number, {
        replaceOnChange: true,
        check: (length) => (length >= 1 ? undefined : "At least 1 byte is needed."),
        description: "How many bytes.",
      }),
      base64: computed(string, secret),
      hex: computed(string, secret),
    },
    create: ({ plan }) => ({ ...plan, ...spellings(chance.bytes(plan.length)) }),
    read: ({ state }) => state,
    delete: () => undefined,
    interrupted: "nothing-outside",
    import: ({ id }) => {
      if (id.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(id)) {
        throw failure("Import Random bytes Error", "The ID has to be the bytes in base64 (RFC 4648, with padding).");
      }
      const bytes = Buffer.from(id, "base64");
      return { keepers: null, length: bytes.length, ...spellings(bytes) };
    },
  });
}

function spellings(bytes: Uint8Array) {
  const buffer = Buffer.from(bytes);
  return { base64: buffer.toString("base64"), hex: buffer.toString("hex") };
}

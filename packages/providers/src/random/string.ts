import type { Chance } from "@millwright/core/ports";
import type { Fields } from "@millwright/provider/fields";
import { bool, computed, number, optional, required, string } from "@millwright/provider/fields";
import { failure } from "@millwright/provider/problem";
import type { Resource } from "@millwright/provider/resource";
import { defineResource } from "@millwright/provider/resource";
import type { JsonObject } from "@millwright/provider/state-json";
import { bcryptHash, isBcryptHashOf } from "./bcrypt.ts";
import { keepers } from "./keepers.ts";
import { checkWishes, randomText } from "./text.ts";

const replaced = { replaceOnChange: true } as const;
const allowed = { ...replaced, default: true } as const;
const least = { ...replaced, default: 0 } as const;

const wishes = {
  keepers,
  length: required(number, { ...replaced, description: "How many characters." }),
  special: optional(bool, allowed),
  upper: optional(bool, allowed),
  lower: optional(bool, allowed),
  number: optional(bool, { ...replaced, computed: true, deprecated: "Use numeric instead." }),
  numeric: optional(bool, { ...replaced, computed: true }),
  min_numeric: optional(number, least),
  min_upper: optional(number, least),
  min_lower: optional(number, least),
  min_special: optional(number, least),
  override_special: optional(string, {
    description: "The special characters to use.",
    // Some versions of the provider wrote "" for null; that alone is no reason for a new value.
    replaceOnChange: ({ prior, planned }) => (prior ?? "") !== "" || planned !== null,
  }),
} satisfies Fields;

/** `random_string`: characters of chance, shown in plans. */
export function randomString(chance: Chance): Resource<unknown> {
  return defineResource({
    version: 2,
    schema: { ...wishes, result: computed(string, { stable: true }), id: computed(string, { stable: true }) },
    validate: ({ config }) => checkWishes({ ...config }, [config.number, config.numeric]),
    plan: ({ config }) => ({ plan: oneSwitch(config) }),
    create: ({ plan }) => {
      const settled = settle(plan);
      const result = randomText(settled, chance);
      return { ...plan, ...settled, result, id: result };
    },
    read: ({ state }) => state,
    update: ({ plan, state }) => ({ ...plan, ...settle(plan), result: state.result, id: state.id }),
    delete: () => undefined,
    interrupted: "nothing-outside",
    import: ({ id }) => ({ ...imported(id), id }),
    upgrades: { 1: withDefaults },
  });
}

/** `random_password`: the same as a secret, with a bcrypt hash beside it. */
export function randomPassword(chance: Chance): Resource<unknown> {
  const secret = { stable: true, sensitive: true } as const;
  return defineResource({
    version: 3,
    schema: {
      ...wishes,
      result: computed(string, secret),
      bcrypt_hash: computed(string, secret),
      id: computed(string, { stable: true }),
    },
    validate: ({ config }) => checkWishes({ ...config }, [config.number, config.numeric]),
    plan: ({ config }) => ({ plan: oneSwitch(config) }),
    create: async ({ plan }) => {
      const settled = settle(plan);
      const result = randomText(settled, chance);
      return { ...plan, ...settled, result, bcrypt_hash: await bcryptHash(result, chance), id: "none" };
    },
    read: ({ state }) => state,
    update: ({ plan, state: { result, bcrypt_hash, id } }) => ({ ...plan, ...settle(plan), result, bcrypt_hash, id }),
    delete: () => undefined,
    interrupted: "nothing-outside",
    import: async ({ id }) => ({ ...imported(id), bcrypt_hash: await bcryptHash(id, chance), id: "none" }),
    upgrades: {
      0: async (old) => ({ ...old, bcrypt_hash: await bcryptHash(String(old.result), chance) }),
      1: withDefaults,
      // In version 2 the hash could be that of another text.
      2: async (old) => {
        const isRight = await isBcryptHashOf(String(old.result), String(old.bcrypt_hash));
        const full = withDefaults(old);
        return isRight ? full : { ...full, bcrypt_hash: await bcryptHash(String(old.result), chance) };
      },
    },
  });
}

interface Switches {
  readonly number: boolean | null | undefined;
  readonly numeric: boolean | null | undefined;
}

/** `number` is the old name of `numeric`: both are always the same, and true when neither is set. */
function oneSwitch({ number: old, numeric }: Switches): {
  readonly number: boolean | undefined;
  readonly numeric: boolean | undefined;
} {
  if (typeof old === "boolean" && typeof numeric === "boolean" && old !== numeric) {
    throw failure(
      "Number and numeric are both configured with different values",
      "number is the old name of numeric. Leave number out.",
      ["number"],
    );
  }
  const value = numeric === null ? (old === null ? true : old) : numeric;
  return { number: value, numeric: value };
}

function settle<P extends Switches>(plan: P): P & { readonly number: boolean; readonly numeric: boolean } {
  const value = plan.numeric ?? plan.number ?? true;
  return { ...plan, number: value, numeric: value };
}

/** Nothing is known of how an imported text came about, so the defaults are taken for it. */
function imported(text: string) {
  return {
    keepers: null,
    length: Buffer.byteLength(text),
    special: true,
    upper: true,
    lower: true,
    number: true,
    numeric: true,
    min_numeric: 0,
    min_upper: 0,
    min_lower: 0,
    min_special: 0,
    override_special: null,
    result: text,
  };
}

/** Imports by old versions left these null, which would replace the value now that they have defaults. */
function withDefaults(old: JsonObject): JsonObject {
  const { keepers: _keepers, override_special: _special, result: _result, ...defaults } = imported(String(old.result));
  const given = Object.entries(old).filter(([, value]) => value !== null);
  const full: JsonObject = { ...old, ...defaults, ...Object.fromEntries(given) };
  return { ...full, numeric: full.number ?? true };
}

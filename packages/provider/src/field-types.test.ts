import type { Value } from "@millwright/value/value";
import { expectTypeOf, test } from "vitest";
import { uses } from "./call.ts";
import { defineProvider } from "./define.ts";
import type { ConfigOf, PlanOf, StateOf, Unsettled } from "./field-types.ts";
import {
  blocks,
  bool,
  computed,
  dynamic,
  list,
  map,
  nested,
  nullable,
  number,
  object,
  optional,
  required,
  string,
  writeOnly,
} from "./fields.ts";
import { defineResource } from "./resource.ts";

/* What authors see of their fields. The compiler is the judge; the tests run only so that nobody forgets them. */

const fields = {
  name: required(string),
  tags: optional(map(string)),
  notes: optional(list(nullable(string))),
  mode: optional(string, { default: "0644" }),
  region: optional(string, { computed: true }),
  secret: writeOnly(string),
  key: writeOnly(string, { required: true }),
  any: optional(dynamic),
  shape: optional(object({ width: number })),
  id: computed(string),
  note: computed(string, { nullable: true }),
  rules: optional(nested.list({ port: required(number), uid: computed(string) })),
  one: blocks.single({ on: optional(bool) }),
  row: blocks.set({ label: required(string), uid: computed(string) }),
  named: blocks.map({ label: required(string) }),
};
type Fields = typeof fields;

test("a configuration has everything but computed attributes, null where it was left out", () => {
  expectTypeOf<ConfigOf<Fields>>().toEqualTypeOf<{
    readonly name: string;
    readonly tags: Readonly<Record<string, string>> | null;
    readonly notes: readonly (string | null)[] | null;
    readonly mode: string | null;
    readonly region: string | null;
    readonly secret: string | null;
    readonly key: string;
    readonly any: Value;
    readonly shape: { readonly width: number | null } | null;
    readonly rules: readonly { readonly port: number }[] | null;
    readonly one: { readonly on: boolean | null } | null;
    readonly row: readonly { readonly label: string }[];
    readonly named: Readonly<Record<string, { readonly label: string }>>;
  }>();
});

test("a plan has no write-only attributes, and undefined where the provider settles the value", () => {
  type Plan = PlanOf<Fields>;
  expectTypeOf<Plan["mode"]>().toEqualTypeOf<string>();
  expectTypeOf<Plan["region"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Plan["id"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Plan["note"]>().toEqualTypeOf<string | null | undefined>();
  expectTypeOf<Plan["rules"]>().toEqualTypeOf<
    readonly { readonly port: number; readonly uid: string | undefined }[] | null
  >();
  expectTypeOf<Plan>().not.toHaveProperty("secret");
});

test("a state has every value settled", () => {
  type State = StateOf<Fields>;
  expectTypeOf<State["id"]>().toEqualTypeOf<string>();
  expectTypeOf<State["note"]>().toEqualTypeOf<string | null>();
  expectTypeOf<State["region"]>().toEqualTypeOf<string>();
  expectTypeOf<State["row"]>().toEqualTypeOf<readonly { readonly label: string; readonly uid: string }[]>();
  expectTypeOf<State>().not.toHaveProperty("key");
});

test("while planning anything may be unknown, at any depth, but a Value says so itself", () => {
  type Loose = Unsettled<ConfigOf<Fields>>;
  expectTypeOf<Loose["name"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Loose["row"]>().toEqualTypeOf<
    readonly ({ readonly label: string | undefined } | undefined)[] | undefined
  >();
  expectTypeOf<Loose["any"]>().toEqualTypeOf<Value>();
});

test("what is left unsettled does not compile", () => {
  class Zoo {
    readonly address = "here";
  }
  const animal = defineResource({
    client: uses<Zoo>(),
    schema: { name: required(string), id: computed(string) },
    create: ({ plan, client }) => ({ ...plan, id: client.address }),
    read: ({ state }) => state,
    // @ts-expect-error: the id of a plan may be unknown.
    update: ({ plan }) => plan,
    delete: () => undefined,
  });
  defineProvider({ name: "zoo", version: "1", configure: () => new Zoo(), resources: { animal } });
  // @ts-expect-error: the resource needs another client.
  defineProvider({ name: "zoo", version: "1", configure: () => 5, resources: { animal } });
});

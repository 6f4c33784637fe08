import { stringValue } from "@millwright/value/value";
import { expect, test } from "vitest";
import { parseAddress } from "../parse-address.ts";
import { emptyState, noPrivate, type State, StateBuilder } from "../state.ts";
import { differingParts, mergeParts } from "./merge.ts";

const provider = 'provider["registry.terraform.io/hashicorp/null"]';

/** A state with these objects, each with a text in it. */
function stateOf(objects: Readonly<Record<string, string>>, rest: Partial<State> = {}): State {
  const builder = new StateBuilder(emptyState);
  for (const [text, name] of Object.entries(objects)) {
    const parsed = parseAddress(text);
    if (parsed?.kind !== "instance") throw new Error(text);
    builder.setCurrent(parsed.address, provider, {
      status: "ready",
      schemaVersion: 0,
      attributes: { form: "json", text: JSON.stringify({ name }) },
      sensitivePaths: [],
      private: noPrivate,
      dependencies: [],
      createBeforeDestroy: false,
    });
  }
  return { ...builder.snapshot(), ...rest };
}

function objectsOf(state: State): Readonly<Record<string, string>> {
  const found = [...state.resources].flatMap(([text, { instances }]) =>
    [...instances].map(([key, { current }]) => {
      const text2 = current?.attributes.form === "json" ? current.attributes.text : "";
      return [`${text}${key}`, (JSON.parse(text2) as { readonly name: string }).name] as const;
    }),
  );
  return Object.fromEntries(found);
}

const own = (...changed: string[]) => ({ changed: new Set(changed), along: new Set<string>() });

test("a run's own parts are as it has them, gone ones gone, and all else as others have left it", () => {
  const newest = stateOf({ "x.a[0]": "theirs", "x.b": "theirs", "module.m.x.c": "theirs", "x.new": "theirs" });
  const mine = stateOf({ "x.a[1]": "mine", "x.b": "mine", "x.old": "mine", 'module.m.x.d["k"]': "mine" });
  expect(objectsOf(mergeParts(newest, mine, own("x.a", "module.m.x.c", "module.m.x.d")))).toEqual({
    "x.a[1]": "mine",
    "x.b": "theirs",
    "x.new": "theirs",
    'module.m.x.d["k"]': "mine",
  });
});

test("data that was read for them is put beside them, and never taken away", () => {
  const newest = stateOf({ "data.x.one": "theirs", "data.x.two": "theirs" });
  const mine = stateOf({ "data.x.one": "mine", "data.x.three": "mine" });
  const merged = mergeParts(newest, mine, { changed: new Set(), along: new Set(["data.x.one", "data.x.two"]) });
  expect(objectsOf(merged)).toEqual({ "data.x.one": "mine", "data.x.two": "theirs" });
});

test("outputs are parts, and what came of checks goes with its object", () => {
  const output = (text: string) => ({ value: stringValue(text), sensitive: false });
  const check = (address: string, status: string) => ({ object_kind: "resource", config_addr: address, status });
  const newest = stateOf(
    {},
    {
      outputs: new Map([
        ["one", output("theirs")],
        ["two", output("theirs")],
        ["gone", output("theirs")],
      ]),
      checkResults: [check("x.a", "theirs"), check("x.b", "theirs"), check("x.gone", "theirs")],
    },
  );
  const mine = stateOf(
    {},
    {
      outputs: new Map([
        ["one", output("mine")],
        ["two", output("mine")],
      ]),
      checkResults: [check("x.a", "mine"), check("x.b", "mine")],
    },
  );
  const merged = mergeParts(newest, mine, own("output.one", "output.gone", "x.a", "x.gone"));
  expect([...merged.outputs].map(([name, { value }]) => [name, value.data])).toEqual([
    ["two", "theirs"],
    ["one", "mine"],
  ]);
  expect(merged.checkResults).toEqual([check("x.b", "theirs"), check("x.a", "mine")]);
});

test("parts that two states do not have alike are told, whatever else differs", () => {
  const one = stateOf({ "x.a": "1", "x.b": "1", "x.c": "1" });
  const other = stateOf({ "x.a": "1", "x.b": "2", "x.d": "1" });
  expect(differingParts(one, other, ["x.a", "x.b", "x.c", "x.d", "output.none"])).toEqual(["x.b", "x.c", "x.d"]);
});

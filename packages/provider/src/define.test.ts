import { OperationalError } from "@millwright/core/errors";
import { asMap, isKnown, numberValue, stringValue } from "@millwright/value/value";
import { beforeEach, describe, expect, test } from "vitest";
import { uses } from "./call.ts";
import { defineProvider } from "./define.ts";
import { blocks, computed, list, map, nested, nullable, number, optional, required, set, string } from "./fields.ts";
import { failure, problem } from "./problem.ts";
import { note, noteText } from "./plan-note.ts";
import type { Provider } from "./protocol.ts";
import { defineResource, notKnownYet } from "./resource.ts";
import { configureForTest } from "./testing/contract.ts";
import { Drive } from "./testing/drive.ts";
import { objectFor, plainOf } from "./testing/objects.ts";
import type { TestProvider } from "./testing/test-provider.ts";
import { testProvider } from "./testing/test-provider.ts";

let testing: TestProvider;
let provider: Provider;
let drive: Drive;

beforeEach(async () => {
  testing = testProvider();
  provider = testing.start();
  await configureForTest(provider, { prefix: "a " });
  drive = await Drive.of(provider, "test_thing");
});

describe("planning", () => {
  test("fills defaults into a new object and leaves computed attributes unknown, and surely not null", async () => {
    const { planned, plain, requiresReplace, diagnostics } = await drive.plan({ name: "a", row: [{ label: "x" }] });
    expect(diagnostics).toEqual([]);
    expect(requiresReplace).toEqual([]);
    expect(plain).toMatchObject({ name: "a", size: 3, region: undefined, id: undefined, text: null });
    expect(plain.row).toEqual([{ label: "x", weight: null, uid: undefined, zone: null, key_wo: null }]);
    expect(asMap(planned).get("id")!.data).toMatchObject({ refinements: { notNull: true } });
    expect(isKnown(asMap(planned).get("note")!)).toBe(false);
  });

  test("changes nothing when nothing is to change", async () => {
    const config = {
      name: "a",
      number: 0.1,
      row: [{ label: "x" }],
      named: { k: { label: "l" } },
      tag: [{ label: "t" }],
    };
    const { state } = await drive.apply(config);
    const { planned, requiresReplace } = await drive.plan(config, state);
    expect(planned).toEqual(state);
    expect(requiresReplace).toEqual([]);
  });

  test("keeps stable computed attributes in an update and loosens the others", async () => {
    const { state } = await drive.apply({ name: "a", row: [{ label: "x" }] });
    const { plain } = await drive.plan({ name: "a", text: "new", row: [{ label: "x" }, { label: "y" }] }, state);
    expect(plain).toMatchObject({ text: "new", id: "test_thing-1", revision: undefined });
    expect(plain.row).toMatchObject([{ uid: "uid of x" }, { uid: undefined }]);
  });

  test("puts a default back when a configured value goes", async () => {
    const { state } = await drive.apply({ name: "a", size: 7 });
    expect((await drive.plan({ name: "a" }, state)).plain).toMatchObject({ size: 3 });
  });

  test("asks for a new object where an attribute cannot be changed in place, at any depth", async () => {
    const { state } = await drive.apply({ name: "a", zone: "east", row: [{ label: "x", zone: "1" }] });
    const { requiresReplace } = await drive.plan({ name: "a", zone: "west", row: [{ label: "x", zone: "2" }] }, state);
    const zone = { attribute: "zone" };
    expect(requiresReplace).toEqual([[zone], [{ attribute: "row" }, { index: numberValue(0) }, zone]]);
    expect((await drive.plan({ name: "a", zone: "east", row: [] }, state)).requiresReplace).toEqual([
      [{ attribute: "row" }],
    ]);
  });

  test("never keeps a write-only attribute", async () => {
    const { plain, call } = await drive.plan({ name: "a", password_wo: "hush" });
    expect(plain.password_wo).toBeNull();
    expect((await provider.applyResourceChange(call)).newState).toMatchObject({ data: expect.anything() });
    expect(JSON.stringify(testing.world.all())).not.toContain("hush");
  });
});

describe("applying", () => {
  test("settles every attribute", async () => {
    const { plain, diagnostics } = await drive.apply({ name: "a", size: 7, one: { label: "only" } });
    expect(diagnostics).toEqual([]);
    expect(plain).toMatchObject({
      name: "a",
      size: 7,
      id: "test_thing-1",
      revision: 1,
      one: { label: "only", uid: "uid of only" },
    });
  });

  test("keeps the digits of a number that JavaScript cannot hold", async () => {
    const exact = numberValue(12345678901234567890123n);
    const { call } = await drive.plan({ name: "a" });
    const planned = { ...call.planned, data: new Map([...asMap(call.planned), ["number", exact]]) };
    const { newState } = await provider.applyResourceChange({ ...call, planned });
    expect(asMap(newState).get("number")).toEqual(exact);
  });

  test("answers what is there beside the error when a create fails halfway", async () => {
    testing.faults.add({ on: "create", how: "failHalfway" });
    const { plain, diagnostics } = await drive.apply({ name: "a" });
    expect(plain).toMatchObject({ name: "a", id: "test_thing-1" });
    const said = { severity: "error", summary: "Failed to create a", detail: "The test provider was told to fail." };
    expect(diagnostics).toEqual([{ ...said, attribute: [{ attribute: "name" }] }]);
  });

  test("answers nothing but the error when a create fails before anything was done", async () => {
    testing.faults.add({ on: "create", how: "fail" });
    const { state, diagnostics } = await drive.apply({ name: "a" });
    expect(state.data).toBeNull();
    expect(diagnostics).toHaveLength(1);
  });

  test("answers what was there when an update fails, and what is there when it fails halfway", async () => {
    const { state } = await drive.apply({ name: "a" });
    testing.faults.add({ on: "update", how: "fail", times: 1 });
    expect((await drive.apply({ name: "a", text: "b" }, state)).state).toEqual(state);
    testing.faults.add({ on: "update", how: "failHalfway", times: 1 });
    expect((await drive.apply({ name: "a", text: "b" }, state)).plain).toMatchObject({ text: "b", revision: 2 });
  });

  test("ends a hanging call when it is told to stop, and does not stop those that begin later", async () => {
    testing.faults.add({ on: "create", how: "hang", times: 1 });
    const running = drive.apply({ name: "a" });
    await new Promise((resolve) => setImmediate(resolve));
    await provider.stop();
    const { state, diagnostics } = await running;
    expect(state.data).toBeNull();
    expect(diagnostics).toMatchObject([
      { summary: "Cannot create test_thing", detail: expect.stringContaining("interrupted") },
    ]);
    testing.faults.add({ on: "create", how: "slow", milliseconds: 1 });
    expect((await drive.apply({ name: "a" })).diagnostics).toEqual([]);
  });

  test("rejects when the provider dies", async () => {
    testing.faults.add({ on: "create", how: "crash", times: 1 });
    await expect(drive.apply({ name: "a" })).rejects.toThrow("ended unexpectedly");
    await expect(drive.apply({ name: "a" })).resolves.toMatchObject({ diagnostics: [] });
  });

  test("deletes, and keeps what was there when that fails", async () => {
    const { state } = await drive.apply({ name: "a" });
    testing.faults.add({ on: "delete", how: "fail", times: 1 });
    expect((await drive.destroy(state)).state).toEqual(state);
    expect((await drive.destroy(state)).state.data).toBeNull();
    expect(testing.world.all()).toEqual([]);
  });
});

test("reading says what has changed, and that an object is gone", async () => {
  const { state } = await drive.apply({ name: "a" });
  testing.world.store("test_thing-1", { text: "by hand" });
  expect((await drive.read(state)).plain).toMatchObject({ text: "by hand" });
  testing.world.delete("test_thing-1");
  expect((await drive.read(state)).state.data).toBeNull();
});

test("data sources, ephemeral resources and functions take and give plain data", async () => {
  await drive.apply({ name: "a" });
  const { dataSources, ephemeralResources } = await provider.schema();
  const lookup = dataSources.get("test_lookup")!.block;
  const { state } = await provider.readDataSource({ type: "test_lookup", config: objectFor(lookup, { name: "a" }) });
  expect(plainOf(lookup, state)).toEqual({ name: "a", id: "test_thing-1", value: null });

  const ticket = ephemeralResources.get("test_ticket")!.block;
  const opened = await provider.openEphemeralResource({
    type: "test_ticket",
    config: objectFor(ticket, { name: "x" }),
  });
  expect(plainOf(ticket, opened.result)).toEqual({ name: "x", ticket: "a ticket for x" });
  const open = { type: "test_ticket", private: opened.private };
  expect(await provider.renewEphemeralResource(open)).toMatchObject({ diagnostics: [] });
  expect(await provider.closeEphemeralResource(open)).toEqual({ diagnostics: [] });

  expect(await provider.callFunction({ name: "shout", args: [stringValue("hey")] })).toMatchObject({
    ok: true,
    result: stringValue("HEY"),
  });
});

describe("what an author gets wrong", () => {
  const small = { name: required(string), id: computed(string), left: computed(string, { nullable: true }) };
  interface Wrongs {
    readonly create?: () => unknown;
    readonly read?: () => unknown;
  }
  async function driveOf({ create = () => ({ id: "1", left: null }), read = () => null }: Wrongs): Promise<Drive> {
    // The compiler would not let an author return these; a provider may come as JavaScript.
    const wrong = defineResource({
      schema: small,
      create: () => create() as { name: string; id: string; left: null },
      read: () => read() as null,
      delete: () => undefined,
    });
    const fresh = defineProvider({
      name: "wrong",
      version: "1",
      configure: () => undefined,
      resources: { wrong },
    }).start();
    await configureForTest(fresh);
    return Drive.of(fresh, "wrong");
  }

  test.each([
    {
      name: "a value of another type",
      create: () => ({ name: 5, id: "1" }),
      want: /wrong create: name: expected a string, got a number/,
    },
    {
      name: "an attribute that is not there",
      create: () => ({ surprise: 1 }),
      want: /wrong create: surprise: there is no such attribute/,
    },
    {
      name: "an exception",
      create: () => (undefined as unknown as { x: { y: 1 } }).x.y,
      want: /Cannot read properties of undefined/,
    },
    {
      name: "values left unsettled",
      create: () => ({ name: "a", id: undefined, left: null }),
      want: /every attribute has to have a value/,
    },
  ])("$name is told as the provider's bug", async ({ create, want }) => {
    const { diagnostics } = await (await driveOf({ create })).apply({ name: "a" });
    expect(diagnostics).toMatchObject([{ severity: "error", summary: expect.stringMatching(/^Provider bug: wrong /) }]);
    expect(diagnostics[0]!.detail).toMatch(want);
  });

  test("a bug while reading is no answer at all", async () => {
    const wrong = await driveOf({ read: () => ({ name: [] }) });
    await expect(wrong.read(wrong.object({ name: "a", id: "1" }))).rejects.toThrow(
      "wrong read: name: expected a string, got an array",
    );
  });
});

describe("a resource's own rules", () => {
  interface Shelf {
    readonly books: Map<string, number>;
  }
  const shelf: Shelf = { books: new Map() };
  const full = { code: "SHELF_FULL", status: 507, retryable: false };
  const book = defineResource({
    client: uses<Shelf>(),
    schema: {
      title: required(string, {
        check: (title) => (title.length > 1 ? undefined : "A title has two letters at least."),
      }),
      pages: optional(number, { default: 100 }),
      size: optional(string, { replaceOnChange: ({ prior, planned }) => prior !== null && planned !== null }),
      words: optional(list(string)),
      notes: optional(map(nullable(string))),
      tags: optional(set(string)),
      old: optional(string, { deprecated: "Use title." }),
      chapters: optional(nested.list({ title: required(string, { check: (t) => (t === "" ? "Empty." : undefined) }) })),
      page: blocks.list({ number: required(number, { check: (n) => (n > 0 ? undefined : "Pages count from 1.") }) }),
      weight: computed(number),
    },
    *validate({ config: { title, pages } }) {
      if (title === "Nothing" && pages !== undefined && (pages ?? 100) > 0)
        yield problem("Too many pages", "Nothing has none.", ["pages"]);
    },
    plan: ({ plan, promised }) => ({
      ...(plan.title === "Noted" ? { notes: [note(`promised ${promised?.get("born")}`, "accent")] } : {}),
      plan: { weight: plan.pages === undefined ? notKnownYet : plan.pages * 2 },
      ...(plan.title === "New" ? { replace: [["title"]] } : {}),
    }),
    create: ({ client, plan, private: data, warn }) => {
      if (plan.title === "Last") throw new OperationalError(full, "The shelf is full.");
      if (plan.title === "Ours") throw new OperationalError({ ...full, code: "OURS" }, "Not this one.");
      client.books.set(plan.title, plan.pages);
      data.set("born", client.books.size);
      warn("Heavy", "It weighs a lot.", ["weight"]);
      return { ...plan, weight: plan.pages * 2 };
    },
    read: ({ state, private: data }) =>
      data.get("born") === undefined ? state : { ...state, words: [String(data.get("born"))] },
    update: ({ plan }) => ({ ...plan, weight: plan.pages * 2 }),
    delete: ({ client, state }) => void client.books.delete(state.title),
  });
  let library: Provider;
  let books: Drive;
  beforeEach(async () => {
    library = defineProvider({
      name: "library",
      version: "1",
      schema: { room: optional(string) },
      configure: ({ config }) => {
        if (config.room === "none") throw failure("No such room", "Choose another.", ["room"]);
        return shelf;
      },
      explain: (error) => (error.code === "OURS" ? problem("In our words", "Not here.") : undefined),
      resources: { book },
    }).start();
    await configureForTest(library);
    books = await Drive.of(library, "book");
  });

  test.each([
    {
      name: "a check of an attribute",
      config: { title: "x" },
      want: [{ detail: "A title has two letters at least.", attribute: [{ attribute: "title" }] }],
    },
    {
      name: "a check inside a block",
      config: { title: "xx", page: [{ number: 0 }] },
      want: [{ detail: "Pages count from 1." }],
    },
    {
      name: "a check inside a nested attribute",
      config: { title: "xx", chapters: [{ title: "" }] },
      want: [{ detail: "Empty." }],
    },
    { name: "a rule over several attributes", config: { title: "Nothing" }, want: [{ summary: "Too many pages" }] },
    {
      name: "a null in a list",
      config: { title: "xx", words: ["a", null] },
      want: [{ summary: "Null value in a collection" }],
    },
    { name: "a null where it may be", config: { title: "xx", notes: { a: null } }, want: [] },
    {
      name: "a deprecated attribute",
      config: { title: "xx", old: "y" },
      want: [{ severity: "warning", detail: "Use title." }],
    },
    { name: "values that are not known", config: { title: undefined, pages: undefined, words: undefined }, want: [] },
  ])("validation: $name", async ({ config, want }) => {
    const diagnostics = await books.validate(config);
    expect(diagnostics).toMatchObject(want);
    expect(diagnostics).toHaveLength(want.length);
  });

  test("the plan function has the last word on computed values and replacement", async () => {
    expect((await books.plan({ title: "xx" })).plain).toMatchObject({ pages: 100, weight: 200 });
    expect((await books.plan({ title: "xx", pages: undefined })).plain).toMatchObject({ weight: undefined });
    const { state } = await books.apply({ title: "xx", size: "s" });
    expect((await books.plan({ title: "New" }, state)).requiresReplace).toEqual([[{ attribute: "title" }]]);
    expect((await books.plan({ title: "xx", size: "m" }, state)).requiresReplace).toEqual([[{ attribute: "size" }]]);
    expect((await books.plan({ title: "xx" }, state)).requiresReplace).toEqual([]);
  });

  test("what people should read comes along, and what a plan remembered reaches the one that carries it out", async () => {
    const { call, notes } = await books.plan({ title: "Noted" });
    expect(notes).toEqual([[{ text: "promised undefined", tone: "accent" }]]);
    const { newState, private: promised } = await library.applyResourceChange(call);
    const again = { type: "book", prior: newState, proposed: newState, config: call.config, priorPrivate: promised };
    expect((await library.planResourceChange({ ...again, promised })).notes?.map(noteText)).toEqual([
      `promised ${shelf.books.size}`,
    ]);
    expect((await books.plan({ title: "xx" })).notes).toBeUndefined();
  });

  test("warnings come along, and private data comes back", async () => {
    const { call } = await books.plan({ title: "xx" });
    const answer = await library.applyResourceChange(call);
    expect(answer.diagnostics).toEqual([
      { severity: "warning", summary: "Heavy", detail: "It weighs a lot.", attribute: [{ attribute: "weight" }] },
    ]);
    const { newState } = await library.readResource({
      type: "book",
      current: answer.newState,
      private: answer.private,
    });
    expect(plainOf(books.block, newState)).toMatchObject({ words: [String(shelf.books.size)] });
    const foreign = new TextEncoder().encode("not ours");
    expect((await library.readResource({ type: "book", current: newState, private: foreign })).private).toEqual(
      new Uint8Array(),
    );
  });

  test("an operational error is told as it is, or in the provider's own words", async () => {
    expect((await books.apply({ title: "Last" })).diagnostics).toMatchObject([
      { summary: "Cannot create book", detail: "The shelf is full." },
    ]);
    expect((await books.apply({ title: "Ours" })).diagnostics).toMatchObject([
      { summary: "In our words", detail: "Not here." },
    ]);
  });

  test("a configuration that is refused says where", async () => {
    const { block } = (await library.schema()).provider;
    const { diagnostics } = await library.configure({
      terraformVersion: "1.11.4",
      config: objectFor(block, { room: "none" }),
    });
    expect(diagnostics).toEqual([
      { severity: "error", summary: "No such room", detail: "Choose another.", attribute: [{ attribute: "room" }] },
    ]);
  });

  test("an unknown value of any type counts as a change", async () => {
    const { state } = await books.apply({ title: "xx" });
    const { plain, requiresReplace } = await books.plan({ title: "xx", size: undefined }, state);
    expect(plain).toMatchObject({ size: undefined, weight: 200 });
    expect(requiresReplace).toEqual([[{ attribute: "size" }]]);
  });
});

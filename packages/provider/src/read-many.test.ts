import { describe, expect, test } from "vitest";
import { defineProvider } from "./define.ts";
import { computed, optional, string } from "./fields.ts";
import type { Provider, ReadAnswer } from "./protocol.ts";
import { failure } from "./problem.ts";
import { defineResource } from "./resource.ts";
import { objectFor, plainOf } from "./testing/objects.ts";

/** A provider of things in a list, which says how it was asked. */
function listed(world: Map<string, string>, options: { token?: () => string | undefined; fails?: boolean } = {}) {
  const asked: string[] = [];
  const thing = defineResource({
    schema: { id: computed(string), text: optional(string) },
    create: ({ config }) => ({ id: "x", text: config.text }),
    read: ({ state }) => {
      asked.push(`one ${state.id}`);
      return world.has(state.id) ? { id: state.id, text: world.get(state.id)! } : null;
    },
    readMany: ({ states }) => {
      asked.push(`many ${states.map(({ id }) => id).join(" ")}`);
      if (options.fails) throw failure("Not now", "The list cannot be had.");
      return states.map(({ id }) => (world.has(id) ? { id, text: world.get(id)! } : null));
    },
    ...(options.token ? { changeToken: options.token } : {}),
    delete: () => undefined,
  });
  const provider = defineProvider({
    name: "listed",
    version: "1.0.0",
    configure: () => ({}),
    resources: { listed_thing: thing },
  });
  return { asked, start: () => provider.start() as Provider };
}

async function readAll(provider: Provider, ids: readonly string[], last: readonly ReadAnswer[] = []) {
  const { block } = (await provider.schema()).resources.get("listed_thing")!;
  const calls = ids.map((id, at) => ({
    type: "listed_thing",
    current: objectFor(block, { id, text: "before" }),
    private: last[at]?.private ?? new Uint8Array(),
  }));
  const answers = await provider.readMany!(calls);
  return { answers, objects: answers.map(({ newState }) => plainOf(block, newState)) };
}

async function started({ start }: ReturnType<typeof listed>): Promise<Provider> {
  const provider = start();
  await provider.configure({ terraformVersion: "1.11.4", config: nullConfig });
  return provider;
}

const nullConfig = objectFor({ attributes: new Map(), blocks: new Map() }, {});

describe("a type that is read many at a time", () => {
  test("gives what is there, in the order asked, and null for what is gone", async () => {
    const things = listed(
      new Map([
        ["a", "one"],
        ["c", "three"],
      ]),
    );
    const { objects } = await readAll(await started(things), ["c", "b", "a"]);
    expect(objects).toEqual([{ id: "c", text: "three" }, null, { id: "a", text: "one" }]);
    expect(things.asked).toEqual(["many c b a"]);
  });

  test("is not read again as long as its change token stays", async () => {
    let token = "1";
    const things = listed(new Map([["a", "one"]]), { token: () => token });
    const provider = await started(things);
    const first = await readAll(provider, ["a"]);
    const second = await readAll(provider, ["a"], first.answers);
    expect(second.answers[0]).toMatchObject({ unread: true });
    token = "2";
    const third = await readAll(provider, ["a"], second.answers);
    expect(third.answers[0]?.unread).toBeUndefined();
    expect(things.asked).toEqual(["many a", "many a"]);
  });

  test("without a token at the moment everything is read, and nothing is remembered", async () => {
    const things = listed(new Map([["a", "one"]]), { token: () => undefined });
    const { answers } = await readAll(await started(things), ["a"]);
    expect(answers[0]).toMatchObject({ private: new Uint8Array() });
  });

  test("a failure is every object's, and each stays as it was", async () => {
    const things = listed(new Map(), { fails: true });
    const { answers, objects } = await readAll(await started(things), ["a", "b"]);
    expect(objects).toMatchObject([{ text: "before" }, { text: "before" }]);
    expect(answers.map(({ diagnostics }) => diagnostics[0]?.summary)).toEqual(["Not now", "Not now"]);
  });
});

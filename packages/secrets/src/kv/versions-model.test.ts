import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { openEngine } from "../../test/open-engine.ts";
import { openTestServer } from "../../test/secrets-server.ts";
import { memoryStorage } from "../memory-storage.ts";
import type { SecretStorage } from "../storage.ts";
import { kvEngine } from "./kv-engine.ts";

const openOver = (storage: SecretStorage) => openEngine(kvEngine(), { options: { version: "2" }, storage });

test("of many writers that compare, exactly one writes each version", async () => {
  const storage = slowly(memoryStorage());
  const servers = await Promise.all([openOver(storage), openOver(storage)]);
  let version = 0;
  for (let round = 0; round < 20; round++) {
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        servers[i % 2]!.call("update", "data/a", { data: { round, i }, options: { cas: version } }),
      ),
    );
    expect(replies.filter(({ kind }) => kind === "data")).toHaveLength(1);
    expect(replies.filter((reply) => reply.kind === "refused" && reply.status === 400)).toHaveLength(9);
    version++;
  }
  expect(await servers[0].call("read", "data/a")).toMatchObject({ data: { metadata: { version: 20 } } });
});

test("of many writers that do not compare, each writes a version of its own", async () => {
  const storage = slowly(memoryStorage());
  const kv = await openOver(storage);
  await kv.call("update", "config", { max_versions: 100 });
  const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => kv.call("update", "data/a", { data: { i } })));
  const versions = replies.map((reply) => (reply.kind === "data" ? reply.data["version"] : undefined));
  expect([...versions].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  for (const [i, version] of versions.entries())
    expect(await kv.call("read", "data/a", { version })).toMatchObject({ data: { data: { i } } });
});

test("so it is through the whole server, over encrypted storage", async () => {
  const server = await openTestServer();
  onTestFinished(() => server.close());
  for (let version = 0; version < 10; version++) {
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        server.ask("PUT secret/data/a", { data: { version, i }, options: { cas: version } }),
      ),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 400)]);
  }
});

test("any sequence of writes, deletions and the like leaves what a model says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const kv = await openOver(memoryStorage());
      await kv.call("update", "config", { max_versions: 4 });
      const model: Model = { current: 0, versions: new Map() };
      for (const [i, { verb, number }] of steps.entries()) {
        if (verb === "write") {
          await kv.call("update", "data/a", { data: { i } });
          model.versions.set(++model.current, { i, state: "there" });
          model.versions.delete(model.current - 4);
        } else if (verb === "remove") {
          await kv.call("delete", "metadata/a");
          model.current = 0;
          model.versions.clear();
        } else {
          await kv.call("update", `${verb}/a`, { versions: [number] });
          const version = model.versions.get(number);
          if (version) version.state = after[verb][version.state];
        }
        await compare(kv, model);
      }
    }),
    { numRuns: 60 },
  );
});

interface Model {
  current: number;
  readonly versions: Map<number, { readonly i: number; state: State }>;
}

type State = "there" | "deleted" | "destroyed";

const after: Record<"delete" | "undelete" | "destroy", Record<State, State>> = {
  delete: { there: "deleted", deleted: "deleted", destroyed: "destroyed" },
  undelete: { there: "there", deleted: "there", destroyed: "destroyed" },
  destroy: { there: "destroyed", deleted: "destroyed", destroyed: "destroyed" },
};

const step = fc.record({
  verb: fc.constantFrom("write", "write", "write", "delete", "undelete", "destroy", "remove"),
  number: fc.integer({ min: 1, max: 8 }),
});

async function compare(kv: Awaited<ReturnType<typeof openOver>>, model: Model): Promise<void> {
  for (let number = 1; number <= model.current + 1; number++) {
    const version = model.versions.get(number);
    const reply = await kv.call("read", "data/a", { version: number });
    if (!version) expect(reply).toEqual({ kind: "missing" });
    else if (version.state === "there") expect(reply).toMatchObject({ kind: "data", data: { data: { i: version.i } } });
    else {
      const destroyed = version.state === "destroyed";
      expect(reply).toMatchObject({ kind: "missing", data: { data: null, metadata: { destroyed } } });
    }
  }
  const held = await kv.storage.list("versions/a/");
  const wanted = [...model.versions].filter(([, { state }]) => state !== "destroyed").map(([number]) => String(number));
  expect([...held].sort()).toEqual(wanted.sort());
}

/** Lets others in between a read and the write that follows from it. */
function slowly(storage: SecretStorage): SecretStorage {
  const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    ...storage,
    get: async (path) => (await pause(), storage.get(path)),
    list: async (folder) => (await pause(), storage.list(folder)),
    commit: async (changes, conditions) => (await pause(), storage.commit(changes, conditions)),
  };
}

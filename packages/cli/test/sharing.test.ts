import { setTimeout as pause } from "node:timers/promises";
import { backendNamed, openBackend } from "@millwright/backends/configure";
import { systemChance, systemClock } from "@millwright/core/ports";
import { newLockInfo } from "@millwright/engine/backend/lock-info";
import type { PartsHold } from "@millwright/engine/backend/parts-hold";
import type { StateSlot, StateStorage } from "@millwright/engine/backend/storage";
import { type PostgresServer, startPostgres } from "@millwright/secrets/postgres-server";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { seededFraction } from "./seeded-fraction.ts";

/* What a state that is shared promises those who hold parts of it. `SEED=7` plays other runs. */

let postgres: PostgresServer;
let consul: DevServer;
let places = 0;
beforeAll(async () => {
  [postgres, consul] = await Promise.all([startPostgres({ database: "states" }), startDevServer()]);
});
afterAll(() => Promise.all([postgres.stop(), consul.stop()]));

const backends = [
  { type: "pg", config: () => ({ conn_str: postgres.url, schema_name: `s${++places}` }) },
  { type: "consul", config: () => ({ address: consul.address, path: `shared/s${++places}` }) },
];
const { signal } = new AbortController();
const newInfo = () =>
  newLockInfo(
    { operation: "OperationTypeApply", version: "1", path: "" },
    { clock: systemClock, chance: systemChance },
  );

describe.each(backends)("a state shared in $type", ({ type, config }) => {
  const open: StateStorage[] = [];
  afterEach(async () => {
    for (const storage of open.splice(0)) await storage.close();
  });
  async function slots(count: number): Promise<readonly StateSlot[]> {
    const given = config();
    const { value } = await backendNamed(type);
    const made: StateSlot[] = [];
    for (let i = 0; i < count; i++) {
      const { value: storage } = await openBackend(value!, given, {
        folder: "/",
        env: process.env,
        clock: systemClock,
      });
      open.push(storage!);
      made.push(storage!.slot("default"));
    }
    return made;
  }
  const bytes = (text: string) => Buffer.from(JSON.stringify({ version: 4, text }));
  async function shared(slot: StateSlot): Promise<PartsHold> {
    const tried = await slot.share!(newInfo(), signal);
    if (tried.kind !== "held") throw new Error(tried.kind);
    return tried.hold;
  }
  const parts = (changed: readonly string[], read: readonly string[] = []) => ({ changed, read });

  test("there is nothing to share before the first write", async () => {
    const [one] = await slots(1);
    expect((await one!.share!(newInfo(), signal)).kind).toBe("nothing there");
  });

  test("a part is changed by one, or relied on by several, and held all or none", async () => {
    const [one, other, third] = await slots(3);
    await one!.write(bytes("a"));
    const [a, b, c] = [await shared(one!), await shared(other!), await shared(third!)];
    expect((await a.hold(parts(["x"], ["r"]))).kind).toBe("held");
    expect((await b.hold(parts(["y"], ["r"]))).kind).toBe("held");
    expect(await c.hold(parts(["z", "r"], ["x"]))).toMatchObject({ busy: [{ part: "r" }, { part: "x" }] });
    expect((await b.hold(parts(["z"]))).kind).toBe("held");
    expect((await c.hold(parts(["y", "w"]))).kind).toBe("busy");
    expect((await a.hold(parts(["w"]))).kind).toBe("held");
    await a.letGo();
    await b.release();
    expect((await c.hold(parts(["x", "y", "z", "r", "w"]))).kind).toBe("held");
    await a.release();
    await c.release();
    expect((await other!.lock(newInfo(), signal)).kind).toBe("held");
  });

  test("it is nobody's alone until the last of those who share it has gone, whoever came first", async () => {
    const [one, other, third, alone] = await slots(4);
    await one!.write(bytes("a"));
    const [a, b] = [await shared(one!), await shared(other!)];
    await a.release();
    expect((await alone!.lock(newInfo(), signal)).kind).toBe("busy");
    const c = await shared(third!);
    await b.release();
    expect((await alone!.lock(newInfo(), signal)).kind).toBe("busy");
    await c.release();
    const lock = await alone!.lock(newInfo(), signal);
    expect([lock.kind, (await one!.share!(newInfo(), signal)).kind]).toEqual(["held", "busy"]);
  });

  test("one who has died may be put out by the id that others are told", async () => {
    const [one, other, third] = await slots(3);
    await one!.write(bytes("a"));
    const [a, b] = [await shared(one!), await shared(other!)];
    const ended = new Promise((resolve) => b.lost!.addEventListener("abort", resolve, { once: true }));
    await b.hold(parts(["x"]));
    const told = await a.hold(parts(["x"]));
    const [busy] = told.kind === "busy" ? told.busy : [];
    await third!.forceUnlock(busy!.holder!.ID, signal);
    await ended;
    expect(a.lost!.aborted).toBe(false);
    expect((await a.hold(parts(["x"]))).kind).toBe("held");
  });

  test("what was read anew is replaced, and nothing newer", async () => {
    const [one] = await slots(1);
    const large = bytes("x".repeat(600_000));
    await one!.write(large);
    const hold = await shared(one!);
    expect(await hold.replace(bytes("old"), bytes("new"))).toBe(false);
    expect(await hold.replace(large, bytes("new"))).toBe(true);
    expect(await hold.replace(bytes("new"), large)).toBe(true);
    expect(Buffer.from((await one!.read(signal))!).equals(large)).toBe(true);
    await hold.release();
  });

  test("of runs that come and go nobody is with one that has it alone, and no write is lost", async () => {
    const seed = Number(process.env.SEED ?? 5);
    const all = await slots(4);
    await all[0]!.write(bytes("0"));
    let alone = 0;
    let sharing = 0;
    let written = 0;
    const held = new Map<string, number>();
    const share = async (slot: StateSlot, part: string, fraction: () => number) => {
      const tried = await slot.share!(newInfo(), signal);
      if (tried.kind !== "held") return;
      sharing++;
      expect(alone).toBe(0);
      if ((await tried.hold.hold(parts([part]))).kind === "held") {
        held.set(part, (held.get(part) ?? 0) + 1);
        expect(held.get(part)).toBe(1);
        for (;;) {
          const now = (await slot.read(signal))!;
          const count = Number((JSON.parse(Buffer.from(now).toString()) as { readonly text: string }).text);
          if (await tried.hold.replace(now, bytes(String(count + 1)))) break;
        }
        written++;
        held.set(part, 0);
      }
      await pause(fraction() * 15);
      expect(alone).toBe(0);
      sharing--;
      await tried.hold.release();
    };
    const have = async (slot: StateSlot) => {
      const tried = await slot.lock(newInfo(), signal);
      if (tried.kind !== "held") return;
      expect([++alone, sharing]).toEqual([1, 0]);
      await pause(1);
      alone--;
      await tried.lock.release();
    };
    await Promise.all(
      all.map(async (slot, run) => {
        const fraction = seededFraction(seed * 10 + run);
        for (let round = 0; round < 12; round++) {
          await pause(fraction() * 5);
          if (fraction() < 0.25) await have(slot);
          else await share(slot, fraction() < 0.5 ? "x" : "y", fraction);
        }
      }),
    );
    expect(written).toBeGreaterThan(0);
    expect(Buffer.from((await all[0]!.read(signal))!)).toEqual(bytes(String(written)));
    expect((await all[0]!.lock(newInfo(), signal)).kind).toBe("held");
  });
});

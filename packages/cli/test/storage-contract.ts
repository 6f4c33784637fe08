import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { backendNamed, openBackend } from "@millwright/backends/configure";
import type { BackendConfig } from "@millwright/backends/settings";
import { systemChance, systemClock } from "@millwright/core/ports";
import { newLockInfo } from "@millwright/engine/backend/lock-info";
import { type StateSlot, type StateStorage, takeLock } from "@millwright/engine/backend/storage";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

/** A backend that is held to what every one of them promises. */
export interface ContractCase {
  readonly name: string;
  readonly type: string;
  /** A configuration of a place that nothing was written to yet; asked for once a test. */
  config(): BackendConfig;
  /** What is there for the process of a holder that was killed. */
  readonly afterKill: "free" | "force-unlock";
  readonly keepsWorkspaces: boolean;
}

const ports = { folder: "/", env: process.env, clock: systemClock };
const { signal } = new AbortController();
const bytes = (text: string) => Buffer.from(JSON.stringify({ version: 4, text }));

/** What every storage of states does: one suite for all of them. */
export function describeStorage(given: ContractCase): void {
  describe(`states in ${given.name}`, () => {
    let config: BackendConfig;
    const open: StateStorage[] = [];
    const children: ChildProcessWithoutNullStreams[] = [];
    beforeEach(() => {
      config = given.config();
    });
    afterEach(async () => {
      for (const child of children.splice(0)) child.kill("SIGKILL");
      for (const storage of open.splice(0)) await storage.close();
    });

    async function storage(): Promise<StateStorage> {
      const { value: type } = await backendNamed(given.type);
      const opened = await openBackend(type!, config, ports);
      expect(opened.diagnostics).toEqual([]);
      open.push(opened.value!);
      return opened.value!;
    }
    const slot = async (workspace = "default") => (await storage()).slot(workspace);
    const infoFor = ({ place }: StateSlot) =>
      newLockInfo({ operation: "OperationTypeApply", version: "1", path: place }, { ...ports, chance: systemChance });
    const lock = (of: StateSlot, timeout = 0) =>
      takeLock(of, { info: infoFor(of), timeout, clock: systemClock, signal });
    async function holder(): Promise<{ readonly child: ChildProcessWithoutNullStreams; readonly id: string }> {
      const script = fileURLToPath(new URL("../testdata/hold-state.mjs", import.meta.url));
      const child = spawn(process.execPath, [script, given.type, JSON.stringify(config)]);
      child.stderr.pipe(process.stderr);
      children.push(child);
      const [said] = (await once(child.stdout, "data")) as [Buffer];
      return { child, id: said.toString().trim() };
    }

    test("there is nothing before the first write", async () => {
      expect(await (await slot()).read(signal)).toBeUndefined();
      expect(await (await storage()).workspaces(signal)).toEqual(["default"]);
    });

    test("what was written is read, by others too, and the last write is what is there", async () => {
      const mine = await slot();
      await mine.write(bytes("one"));
      await mine.write(bytes("two"));
      expect(Buffer.from((await (await slot()).read(signal))!)).toEqual(bytes("two"));
    });

    test("a state of two megabytes comes back as it was", async () => {
      // Nor does it become small by being packed.
      const words = Array.from({ length: 22_000 }, (_, i) => createHash("sha512").update(String(i)).digest("base64"));
      const large = bytes(words.join("Größe "));
      await (await slot()).write(large);
      expect(Buffer.from((await (await slot()).read(signal))!).equals(large)).toBe(true);
      await (await slot()).write(bytes("small"));
      expect(Buffer.from((await (await slot()).read(signal))!)).toEqual(bytes("small"));
    });

    test("one holds it at a time, others are told who, and it is free after", async () => {
      const held = await lock(await slot());
      await expect(lock(await slot())).rejects.toThrow(
        new RegExp(`is held by [\\s\\S]*ID: +${held.info.ID}[\\s\\S]*Operation: OperationTypeApply`),
      );
      await held.release();
      await (await lock(await slot())).release();
    });

    test("its holder writes while others cannot take it", async () => {
      const mine = await slot();
      const held = await lock(mine);
      await mine.write(bytes("held"));
      await held.release();
      expect(Buffer.from((await (await slot()).read(signal))!)).toEqual(bytes("held"));
    });

    test("who may wait waits until it is free", async () => {
      const held = await lock(await slot());
      const waiting = lock(await slot(), 20_000);
      setTimeout(() => void held.release(), 200);
      await (await waiting).release();
    });

    test("of many that ask at once one gets it", async () => {
      const slots = await Promise.all([1, 2, 3, 4].map(() => slot()));
      const tries = await Promise.allSettled(slots.map((each) => lock(each)));
      const held = tries.flatMap((tried) => (tried.status === "fulfilled" ? [tried.value] : []));
      expect(held.length).toBeLessThanOrEqual(1);
      for (const each of held) await each.release();
      await (await lock(await slot(), 10_000)).release();
    });

    test.runIf(given.afterKill === "free")("a holder that is killed holds it no longer", async () => {
      const { child } = await holder();
      await expect(lock(await slot())).rejects.toThrow("is held by");
      child.kill("SIGKILL");
      await once(child, "exit");
      await (await lock(await slot(), 5_000)).release();
    });

    test.runIf(given.afterKill === "force-unlock")(
      "a holder that is killed still holds it, until its lock is taken away by its id",
      async () => {
        const { child, id } = await holder();
        child.kill("SIGKILL");
        await once(child, "exit");
        await expect(lock(await slot())).rejects.toThrow(id);
        await expect((await slot()).forceUnlock("another", signal)).rejects.toThrow();
        await (await slot()).forceUnlock(id, signal);
        await (await lock(await slot(), 15_000)).release();
      },
    );

    test.runIf(given.keepsWorkspaces)("workspaces have a state and a lock each", async () => {
      await (await slot()).write(bytes("default"));
      await (await slot("blue")).write(bytes("blue"));
      expect(await (await storage()).workspaces(signal)).toEqual(
        ["blue", "default"].sort((a) => (a === "default" ? -1 : 1)),
      );
      expect(Buffer.from((await (await slot("blue")).read(signal))!)).toEqual(bytes("blue"));
      const held = await lock(await slot("blue"));
      await (await lock(await slot())).release();
      await held.release();
      await (await storage()).remove("blue", signal);
      expect(await (await storage()).workspaces(signal)).toEqual(["default"]);
      expect(await (await slot("blue")).read(signal)).toBeUndefined();
      expect(Buffer.from((await (await slot()).read(signal))!)).toEqual(bytes("default"));
    });

    test.runIf(!given.keepsWorkspaces)("another workspace than default is refused", async () => {
      const opened = await storage();
      expect(() => opened.slot("blue")).toThrow("keeps one state");
    });
  });
}

// Holds the lock of a state until it is told to go on or is killed: `node hold-lock.mjs STATE`.
import { systemChance, systemClock } from "@millwright/core/ports";
import { LocalSlot } from "../src/backend/local-storage.ts";
import { newLockInfo } from "../src/backend/lock-info.ts";
import { takeLock } from "../src/backend/storage.ts";

const [, , path] = process.argv;
const ports = { clock: systemClock, chance: systemChance };
const info = newLockInfo({ operation: "OperationTypeApply", version: "1.11.4", path }, ports);
const { signal } = new AbortController();
const lock = await takeLock(new LocalSlot(path), { info, timeout: 0, clock: systemClock, signal });
process.stdout.write("held\n");
process.stdin.once("data", async () => {
  await lock.release();
  process.exit(0);
});

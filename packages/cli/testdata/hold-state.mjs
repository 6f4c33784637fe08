// Holds the lock of a backend's state until it is killed, and says its id: `node hold-state.mjs TYPE CONFIG`.
import { backendNamed, openBackend } from "@millwright/backends/configure";
import { systemChance, systemClock } from "@millwright/core/ports";
import { newLockInfo } from "@millwright/engine/backend/lock-info";
import { takeLock } from "@millwright/engine/backend/storage";

const [, , name, config] = process.argv;
const { value: type } = await backendNamed(name);
const { value: storage } = await openBackend(type, JSON.parse(config), { folder: "/", env: process.env, clock: systemClock });
const slot = storage.slot("default");
const ports = { clock: systemClock, chance: systemChance };
const info = newLockInfo({ operation: "OperationTypeApply", version: "1", path: slot.place }, ports);
const { signal } = new AbortController();
const lock = await takeLock(slot, { info, timeout: 0, clock: systemClock, signal });
process.stdout.write(`${lock.info.ID}\n`);
setInterval(() => undefined, 1000);

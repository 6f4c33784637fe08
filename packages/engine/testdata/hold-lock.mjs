// Holds the lock of a state until it is told to go on or is killed: `node hold-lock.mjs STATE`.
import { systemChance, systemClock } from "@millwright/core/ports";
import { lockState } from "../src/backend/lock.ts";

const lock = await lockState({
  path: process.argv[2],
  operation: "OperationTypeApply",
  version: "1.11.4",
  timeout: 0,
  clock: systemClock,
  chance: systemChance,
  signal: new AbortController().signal,
});
process.stdout.write("held\n");
process.stdin.once("data", () => {
  lock.release();
  process.exit(0);
});

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { httpBackend } from "./http.ts";
import { Settings } from "./settings.ts";

async function slotOf(config: Readonly<Record<string, unknown>>) {
  const waited: number[] = [];
  const sleep = async (milliseconds: number) => void waited.push(milliseconds);
  const clock = { ...systemClock, sleep };
  const storage = await httpBackend.open(new Settings(config, {}, {}), { clock, folder: "/", env: {} });
  return { slot: storage.slot("default"), waited, close: () => storage.close() };
}

/** An address where nobody answers. */
async function silentAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

const info = { ID: "1", Operation: "", Info: "", Who: "", Version: "", Created: "2026-01-01T00:00:00Z", Path: "" };
const { signal } = new AbortController();

test("where nobody answers it is asked as often, with the waits, that Terraform makes, and the address is named", async () => {
  const address = await silentAddress();
  const { slot, waited, close } = await slotOf({ address: `${address}/state?token=secret` });
  await expect(slot.read(signal)).rejects.toThrow(
    `The server at ${address}/state cannot be asked to read the state, tried 3 times:`,
  );
  expect(waited).toEqual([1_000, 2_000]);
  await close();
});

test("of the lock it is the lock's address, and the settings say how often and when", async () => {
  const address = await silentAddress();
  const waits = { retry_max: 3, retry_wait_min: 2, retry_wait_max: 5 };
  const { slot, waited, close } = await slotOf({ address, lock_address: `${address}/lock`, ...waits });
  await expect(slot.lock(info, signal)).rejects.toThrow(`The server at ${address}/lock cannot be asked to lock`);
  expect(waited).toEqual([2_000, 4_000, 5_000]);
  await close();
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "@millwright/core/ports";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DriverFingerprint, TaskDriver } from "../driver/driver.ts";
import { SelfPortrait } from "./self-portrait.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "portrait-"));
});
afterEach(() => rm(folder, { recursive: true }));

function driverThatSays(said: { now: DriverFingerprint }): TaskDriver {
  return {
    name: "docker",
    fingerprint: async () => said.now,
    start: () => Promise.reject(new Error("not here")),
    recover: async () => undefined,
  };
}

const healthy = {
  detected: true,
  healthy: true,
  description: "Healthy",
  attributes: { "driver.docker.version": "27" },
};
const gone = { detected: false, healthy: false, description: "No container engine answers", attributes: {} };

test("a driver that has changed is seen at the next look, what changes all the time is not told", async () => {
  const said = { now: gone as DriverFingerprint };
  const looks = new AbortController();
  let vaultVersion: string | undefined = "1.13.3";
  let isDue = Promise.withResolvers<void>();
  const clock: Clock = {
    ...systemClock,
    sleep: (_milliseconds, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        void isDue.promise.then(resolve);
      }),
  };
  const portrait = await SelfPortrait.take({
    settings: { servers: [], datacenter: "asia-east1", told: { memory: 1_000 } },
    self: {
      id: "n1",
      name: "a1",
      datacenter: "dc1",
      address: "10.0.0.7",
      version: "0.1.0",
      discoveryVersion: "1.16.4",
    },
    dataFolder: folder,
    drivers: [driverThatSays(said)],
    vault: { version: async () => vaultVersion },
    clock,
    signal: looks.signal,
  });
  portrait.reachedAt({ httpAddress: "10.0.0.7:4646", key: "secret" });
  const first = portrait.registration;
  expect(first).toMatchObject({
    Datacenter: "asia-east1",
    HTTPAddress: "10.0.0.7:4646",
    Key: "secret",
    Resources: { MemoryMB: 1_000 },
    Drivers: { docker: { Detected: false, HealthDescription: "No container engine answers" } },
  });
  expect(first.Attributes).toMatchObject({ "consul.datacenter": "dc1", "vault.version": "1.13.3" });
  const looked = Promise.withResolvers<void>();
  const following = portrait.follow(() => looked.resolve(), looks.signal);
  said.now = healthy;
  vaultVersion = undefined;
  const due = isDue;
  isDue = Promise.withResolvers();
  due.resolve();
  await looked.promise;
  looks.abort();
  await following;
  const later = portrait.registration;
  expect(later.Drivers["docker"]).toMatchObject({ Detected: true, Healthy: true });
  expect(later.Attributes["driver.docker.version"]).toBe("27");
  const { Drivers: _, Attributes: attributes, ...others } = later;
  const { "driver.docker": _one, "driver.docker.version": _two, ...rest } = attributes;
  expect(rest).toEqual(first.Attributes);
  expect({ ...others, Drivers: first.Drivers, Attributes: first.Attributes }).toEqual(first);
});

test("tasks see the region that the servers have said", async () => {
  const portrait = await SelfPortrait.take({
    settings: { servers: [] },
    self: {
      id: "n1",
      name: "a1",
      datacenter: "dc1",
      address: "10.0.0.7",
      version: "0.1.0",
      discoveryVersion: "1.16.4",
    },
    dataFolder: folder,
    drivers: [],
    vault: undefined,
    clock: systemClock,
    signal: new AbortController().signal,
  });
  const { facts } = portrait;
  expect([facts.region, facts.datacenter]).toEqual(["global", "dc1"]);
  portrait.setRegion("apac");
  portrait.setRegion("");
  expect(facts.region).toBe("apac");
});

import type { ConsulClient } from "@millwright/clients/consul";
import { silentLog } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { discoveryMembership } from "./discovery-membership.ts";

const { signal } = new AbortController();

test("an answer is believed for a while, and no longer once the node has shown the token of a later join", async () => {
  const valid = new Set(["first"]);
  const asked: string[] = [];
  const node = {
    whoAmI: async ({ token = "" }) => {
      asked.push(token);
      return valid.has(token) ? { id: "n1", node: "web" } : undefined;
    },
  };
  let now = 0;
  const membership = discoveryMembership({
    // The rest of the client is not used by it.
    client: { node } as unknown as ConsulClient,
    token: () => "",
    clock: { now: () => now, monotonic: () => now, sleep: () => new Promise(() => undefined) },
    log: silentLog,
  });
  expect(await membership.identify("first", signal)).toEqual({ id: "n1", name: "web" });
  valid.clear();
  valid.add("second");
  expect(await membership.identify("first", signal)).toEqual({ id: "n1", name: "web" });
  expect(asked).toEqual(["first"]);
  expect(await membership.identify("second", signal)).toEqual({ id: "n1", name: "web" });
  expect(await membership.identify("first", signal)).toBeUndefined();
  valid.clear();
  now = 30_000;
  expect(await membership.identify("second", signal)).toBeUndefined();
});

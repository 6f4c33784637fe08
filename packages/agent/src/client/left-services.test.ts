import { silentLog } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { removeLeftServices } from "./left-services.ts";

const here = "0a1b2c3d-0000-4000-8000-000000000001";
const past = "0a1b2c3d-0000-4000-8000-000000000002";

test("services of allocations that are no more go, all others stay", async () => {
  const removed: string[] = [];
  const ids = [
    `_nomad-task-${here}-group-web-shop-http`,
    `_nomad-task-${past}-api-shop-`,
    "_nomad-task-by-hand",
    "web",
  ];
  const services = {
    ids: () => ids,
    deregister: async (id: string) => void removed.push(id),
    register: async () => undefined,
    follow: () => () => undefined,
  };
  await removeLeftServices(services, [here], silentLog);
  expect(removed).toEqual([`_nomad-task-${past}-api-shop-`]);
});

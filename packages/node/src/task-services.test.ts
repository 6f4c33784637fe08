import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKind } from "@millwright/core/errors";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FakeDiscovery, fakeDiscovery } from "../test/fake-discovery.ts";
import { type RunningNode, runNode } from "../test/running-node.ts";
import { nodeErrors } from "./errors.ts";
import type { TaskCheck } from "./task-services.ts";

let server: FakeDiscovery;
let folder: string;
let one: RunningNode;

beforeEach(async () => {
  server = await fakeDiscovery();
  folder = await mkdtemp(join(tmpdir(), "node-"));
  one = await runNode({ servers: [server.address], dataFolder: folder });
});

afterEach(async () => {
  await one.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

const web = {
  ID: "_nomad-task-1",
  Name: "web",
  Port: 80,
  Checks: [{ CheckID: "alive", Name: "alive", TTL: "30s" }],
};

test("a task's service outlives the process, and is still known as a task's", async () => {
  await one.node.tasks.register(web);
  await one.ask("PUT /v1/agent/service/register", { Name: "by-hand" });
  await one.close();
  one = await runNode({ servers: [server.address], dataFolder: folder });
  expect(one.node.tasks.ids()).toEqual(["_nomad-task-1"]);
  expect([...one.node.state.services.keys()].sort()).toEqual(["_nomad-task-1", "by-hand"]);
  expect(one.node.state.checks.get("alive")?.definition.serviceId).toBe("_nomad-task-1");
});

test("a service that goes is gone from the catalog when that is answered", async () => {
  await one.node.ready();
  await one.node.tasks.register(web);
  await one.node.tasks.deregister("_nomad-task-1");
  await one.node.tasks.deregister("never-there");
  expect(server.services.has("_nomad-task-1")).toBe(false);
  expect(one.node.state.checks.size).toBe(0);
});

test("who follows services hears of their checks alone: at once, and at each change", async () => {
  const { tasks } = one.node;
  const heard: (readonly TaskCheck[])[] = [];
  const stop = tasks.follow(["_nomad-task-1"], (checks) => heard.push(checks));
  await tasks.register(web);
  await tasks.register({ ...web, ID: "_nomad-task-2", Checks: [{ CheckID: "other", Name: "other", TTL: "30s" }] });
  await one.ask("PUT /v1/agent/check/pass/other");
  await one.ask("PUT /v1/agent/check/pass/alive?note=fine");
  await one.ask("PUT /v1/agent/check/pass/alive?note=still");
  await tasks.register({ ...web, Checks: [] });
  stop();
  await tasks.register(web);
  expect(heard.map((checks) => checks.map(({ status, output }) => `${status} ${output}`.trim()))).toEqual([
    [],
    ["critical"],
    ["passing fine"],
    ["passing still"],
    [],
  ]);
});

test("what cannot be a service is refused, and nothing is registered", async () => {
  const refused = await one.node.tasks.register({ Name: "web", Port: "many" }).catch((error: unknown) => error);
  expect(isKind(refused, nodeErrors.badDefinition)).toBe(true);
  expect(one.node.tasks.ids()).toEqual([]);
});

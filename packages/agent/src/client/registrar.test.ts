import { nomadNodeErrors } from "@millwright/clients/nomad-node-client";
import type { NodeRegistration } from "@millwright/clients/nomad-node-protocol";
import { OperationalError } from "@millwright/core/errors";
import { type Log, systemChance, systemClock } from "@millwright/core/ports";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Registrar } from "./registrar.ts";

let told: NodeRegistration[];
let lines: string[];
let closing: AbortController;
let running: Promise<void>;
/** What the node is, what it shows, and what the servers say. */
const world = { node: { Name: "a1", Meta: {} } as NodeRegistration, token: "one", refusal: "" };

beforeEach(() => {
  [told, lines, closing] = [[], [], new AbortController()];
  Object.assign(world, { node: { Name: "a1", Meta: {} }, token: "one", refusal: "" });
});
afterEach(async () => {
  closing.abort();
  await running;
});

function open(): Registrar {
  const log: Log = { write: (level, message) => void lines.push(`${level} ${message}`) };
  const registrar = new Registrar({
    orchestrator: {
      register: async (registration) => {
        if (world.refusal !== "") throw new OperationalError(nomadNodeErrors.noServer, world.refusal);
        told.push(registration);
        return { Region: "global", Datacenter: "dc1" };
      },
    },
    describe: () => world.node,
    token: () => world.token,
    onRegistered: () => undefined,
    clock: systemClock,
    chance: systemChance,
    log,
  });
  running = registrar.run(closing.signal);
  return registrar;
}

const registeredAnew = async (registrar: Registrar, times: number) => {
  await registrar.registered(closing.signal);
  await expect.poll(() => told.length).toBe(times);
};

test("a node that is as it was told is not registered again", async () => {
  const registrar = open();
  await registeredAnew(registrar, 1);
  world.node = { ...world.node, Meta: {} };
  registrar.compare();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(told).toHaveLength(1);
});

test("one that has changed, has another token, or is forgotten, is", async () => {
  const registrar = open();
  await registeredAnew(registrar, 1);
  world.node = { ...world.node, Meta: { rack: "r1" } };
  registrar.compare();
  await registeredAnew(registrar, 2);
  expect(told[1]?.Meta).toEqual({ rack: "r1" });
  world.token = "two";
  registrar.compare();
  await registeredAnew(registrar, 3);
  registrar.forgotten("the server said so");
  await registeredAnew(registrar, 4);
});

test("servers that cannot are asked again, and said once for each reason", async () => {
  world.refusal = "nobody is there";
  const registrar = open();
  const waiting = registrar.registered(closing.signal);
  await new Promise((resolve) => setTimeout(resolve, 900));
  expect(registrar.state).toEqual({ kind: "unregistered", why: "nobody is there" });
  world.refusal = "";
  await waiting;
  expect(lines).toEqual(["warn client: not registered", "info client: registered"]);
});

test("who waits for a registration hears when the agent stops", async () => {
  world.refusal = "nobody is there";
  const waiting = open().registered(closing.signal);
  closing.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
});

import { systemClock } from "@millwright/core/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeDiscovery, fakeDiscovery } from "../test/fake-discovery.ts";
import { fastClock } from "../test/fast-clock.ts";
import type { JoinedIdentity } from "./kept-identity.ts";
import { type Authorizer, checkPermissions, type Permission } from "./permissions.ts";
import { serverAuthorizer } from "./server-authorizer.ts";
import { Servers } from "./servers.ts";

let server: FakeDiscovery;
let servers: Servers;
beforeEach(async () => {
  server = await fakeDiscovery();
});
afterEach(async () => {
  await servers.close();
  await server.stop();
});

function authorizer(options: { addresses?: string[]; joined?: JoinedIdentity; speed?: number } = {}): Authorizer {
  const { addresses = [server.address], joined, speed = 1 } = options;
  const clock = speed === 1 ? systemClock : fastClock(speed);
  servers = new Servers(addresses, {
    clock,
    chance: { bytes: () => new Uint8Array(), uuid: () => "", fraction: () => 0 },
  });
  const kept = { get: () => joined, set: async () => undefined };
  return serverAuthorizer({ servers, kept, clock, signal: new AbortController().signal });
}

const write: Permission = { resource: "service", access: "write", name: "web" };
const agentWrite: Permission = { resource: "agent", access: "write", name: "n" };
const asked = () => server.requests.filter((line) => line.includes("authorize")).length;

async function may(by: Authorizer, token: string, permission = write): Promise<string> {
  return checkPermissions(by.grantsOf(token), [permission]).then(
    () => "yes",
    (error: unknown) => String(error),
  );
}

describe("with a server", () => {
  test("it decides, once in thirty seconds", async () => {
    const by = authorizer({ speed: 100 });
    server.denied.add("weak");
    expect([await may(by, "strong"), await may(by, "strong"), asked()]).toEqual(["yes", "yes", 1]);
    expect(await may(by, "weak")).toContain(
      "Permission denied: the request's token lacks permission 'service:write' on \"web\"",
    );
    server.denied.add("strong");
    await systemClock.sleep(350);
    expect(await may(by, "strong")).toContain("Permission denied");
  });
});

test("what was decided is not another decision once much else was", async () => {
  const by = authorizer();
  server.denied.add("weak");
  expect(await may(by, "weak")).toContain("Permission denied");
  for (const name of ["a", "b"]) {
    const many = Array.from({ length: 6_000 }, (_, i): Permission => ({ ...write, name: `${name}${i}` }));
    await by.grantsOf("strong").decide(many);
  }
  expect(await by.grantsOf("weak").decide([write, { ...write, name: "new" }])).toEqual(["deny", "deny"]);
});

describe("without a server", () => {
  test("the last answer holds", async () => {
    const by = authorizer({ speed: 100 });
    server.denied.add("weak");
    await Promise.all([may(by, "strong"), may(by, "weak")]);
    await server.stop();
    await systemClock.sleep(350);
    expect(await may(by, "strong")).toBe("yes");
    expect(await may(by, "weak")).toContain("Permission denied");
    expect(await may(by, "unheard of")).toContain("No cluster leader");
  });

  const joined = (openAccess: boolean) => ({ token: "t", datacenter: "dc1", openAccess });
  const cases: {
    name: string;
    options: Parameters<typeof authorizer>[0];
    token: string;
    what: Permission;
    want: string;
  }[] = [
    {
      name: "all is allowed to a node that knows none",
      options: { addresses: [] },
      token: "",
      what: write,
      want: "yes",
    },
    {
      name: "before the first join, the node itself may be changed",
      options: {},
      token: "",
      what: agentWrite,
      want: "yes",
    },
    {
      name: "before the first join, nothing may be registered",
      options: {},
      token: "",
      what: write,
      want: "No cluster leader",
    },
    {
      name: "where there was no access control, all is allowed",
      options: { joined: joined(true) },
      token: "",
      what: write,
      want: "yes",
    },
    {
      name: "but not to a token nobody has judged",
      options: { joined: joined(true) },
      token: "x",
      what: write,
      want: "No cluster leader",
    },
    {
      name: "where there was, nothing is",
      options: { joined: joined(false) },
      token: "",
      what: agentWrite,
      want: "No cluster leader",
    },
  ];
  test.each(cases)("$name", async ({ options, token, what, want }) => {
    await server.stop();
    expect(await may(authorizer(options), token, what)).toContain(want);
  });
});

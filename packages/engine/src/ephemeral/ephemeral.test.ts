import type { Provider } from "@millwright/provider/protocol";
import type { Value } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import { messages, plainOf, TestEngine } from "../testing/test-engine.ts";

const ticket = (rest = "") => `ephemeral "test_ticket" "t" {\n  name = "t"\n  ${rest}\n}\n`;
const thing = (name: string, rest: string) => `resource "test_thing" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;
const small = (name: string, rest = "") => `resource "test_small" "${name}" {\n  name = "${name}"\n  ${rest}\n}\n`;

/** The calls that concern ephemeral resources, configuring and applying, in order. */
function calls(engine: TestEngine): string[] {
  const names: Readonly<Record<string, string>> = {
    openEphemeralResource: "open",
    renewEphemeralResource: "renew",
    closeEphemeralResource: "close",
    applyResourceChange: "apply",
  };
  return engine.provider.log.calls.flatMap(({ method }) => names[method] ?? []);
}

function events(engine: TestEngine): string[] {
  return engine.events.flatMap((event) =>
    event.kind === "ephemeral-start" || event.kind === "ephemeral-done"
      ? [`${event.action} ${event.kind === "ephemeral-start" ? "begins" : "done"} ${event.address}`]
      : [],
  );
}

/** Lets every opening ask to be renewed, `times` in all. */
function renewing(engine: TestEngine, times: number, fails = false): void {
  let left = times;
  const next = () => (left-- > 0 ? { renewAt: new Date(Date.now() + 5) } : {});
  engine.wrap = (provider: Provider) => ({
    ...provider,
    openEphemeralResource: async (call) => ({ ...(await provider.openEphemeralResource(call)), ...next() }),
    renewEphemeralResource: async (call) => {
      const answer = await provider.renewEphemeralResource(call);
      const diagnostics = [{ severity: "error", summary: "Too late", detail: "It has ended." }] as const;
      return fails ? { ...answer, diagnostics } : { ...answer, ...next() };
    },
  });
}

test("it is opened before its first user and closed after its last, when planning and when applying", async () => {
  const engine = new TestEngine(ticket() + thing("a", "password_wo = ephemeral.test_ticket.t.ticket"));
  const { plan, diagnostics } = await engine.plan();
  expect(messages(diagnostics)).toEqual([]);
  expect(calls(engine)).toEqual(["open", "close"]);
  engine.provider.log.clear();
  expect(messages((await engine.apply(plan)).diagnostics)).toEqual([]);
  expect(calls(engine)).toEqual(["open", "apply", "close"]);
  const applied = engine.provider.log.calls.find(({ method }) => method === "applyResourceChange");
  const { config } = applied!.request as { readonly config: Value };
  expect(plainOf(config)).toMatchObject({ password_wo: "ticket for t" });
  expect(JSON.stringify([...engine.state.resources.keys()])).not.toContain("ephemeral");
});

test("an apply that does not need it leaves it alone", async () => {
  const engine = new TestEngine("");
  await engine.given(ticket() + thing("a", "password_wo = ephemeral.test_ticket.t.ticket"));
  engine.configure(ticket() + thing("a", "password_wo = ephemeral.test_ticket.t.ticket") + small("b"));
  const { plan } = await engine.plan();
  engine.provider.log.clear();
  await engine.apply(plan);
  expect(calls(engine)).toEqual(["apply"]);
});

test("each step of it is told of", async () => {
  const engine = new TestEngine(ticket());
  await engine.plan();
  expect(events(engine)).toEqual([
    "open begins ephemeral.test_ticket.t",
    "open done ephemeral.test_ticket.t",
    "close begins ephemeral.test_ticket.t",
    "close done ephemeral.test_ticket.t",
  ]);
});

test("a provider may be configured with it, and it stays open while that one is used", async () => {
  const engine = new TestEngine(
    `provider "test" {\n alias = "by"\n prefix = ephemeral.test_ticket.t.ticket\n}\n${ticket()}${small("a", "provider = test.by")}`,
  );
  const { plan, diagnostics } = await engine.plan();
  expect(messages(diagnostics)).toEqual([]);
  engine.provider.log.clear();
  await engine.apply(plan);
  expect(calls(engine)).toEqual(["open", "apply", "close"]);
});

test("one whose configuration is not known yet is opened by the apply alone", async () => {
  const engine = new TestEngine(
    `${small("a")}ephemeral "test_ticket" "t" {\n name = test_small.a.echo\n}\n${thing("b", "password_wo = ephemeral.test_ticket.t.ticket")}`,
  );
  const { plan, diagnostics } = await engine.plan();
  expect(messages(diagnostics)).toEqual([]);
  expect(calls(engine)).toEqual([]);
  expect(messages((await engine.apply(plan)).diagnostics)).toEqual([]);
  expect(calls(engine)).toEqual(["apply", "open", "apply", "close"]);
});

test("it is renewed when it asks to be, for as long as it is open", async () => {
  const engine = new TestEngine(ticket() + thing("a", "password_wo = ephemeral.test_ticket.t.ticket"));
  const { plan } = await engine.plan();
  renewing(engine, 2);
  engine.provider.log.clear();
  engine.provider.faults.add({ on: "create", how: "slow", milliseconds: 60 });
  expect(messages((await engine.apply(plan)).diagnostics)).toEqual([]);
  expect(calls(engine)).toEqual(["open", "apply", "renew", "renew", "close"]);
});

test("a renewal that fails is an error, and it is closed all the same", async () => {
  const engine = new TestEngine(ticket() + thing("a", "password_wo = ephemeral.test_ticket.t.ticket"));
  const { plan } = await engine.plan();
  renewing(engine, 2, true);
  engine.provider.log.clear();
  engine.provider.faults.add({ on: "create", how: "slow", milliseconds: 60 });
  expect(messages((await engine.apply(plan)).diagnostics)).toEqual(["error: Too late: It has ended."]);
  expect(calls(engine)).toEqual(["open", "apply", "renew", "close"]);
});

test("it is closed where its user fails", async () => {
  const engine = new TestEngine(ticket() + thing("a", "password_wo = ephemeral.test_ticket.t.ticket"));
  const { plan } = await engine.plan();
  engine.provider.log.clear();
  engine.provider.faults.add({ on: "create", how: "fail" });
  expect((await engine.apply(plan)).complete).toBe(false);
  expect(calls(engine)).toEqual(["open", "apply", "close"]);
});

test("it is closed where the run is interrupted", async () => {
  const engine = new TestEngine(ticket() + thing("a", "password_wo = ephemeral.test_ticket.t.ticket"));
  const { plan } = await engine.plan();
  engine.provider.log.clear();
  const stop = new AbortController();
  engine.wrap = (provider) => ({
    ...provider,
    openEphemeralResource: (call) => {
      stop.abort();
      return provider.openEphemeralResource(call);
    },
  });
  await engine.apply(plan, { stop: stop.signal });
  expect(calls(engine)).toEqual(["open", "close"]);
});

test("it has instances by for_each, each with a result of its own", async () => {
  const engine = new TestEngine(
    `ephemeral "test_ticket" "t" {\n for_each = toset(["x", "y"])\n name = each.key\n}\n${thing("a", 'password_wo = ephemeral.test_ticket.t["y"].ticket')}`.replace(
      'toset(["x", "y"])',
      "{ x = 1, y = 2 }",
    ),
  );
  expect(messages((await engine.apply()).diagnostics)).toEqual([]);
  const applied = engine.provider.log.calls.find(({ method }) => method === "applyResourceChange");
  expect(plainOf((applied!.request as { readonly config: Value }).config)).toMatchObject({
    password_wo: "ticket for y",
  });
});

describe("where its value may not go", () => {
  const value = "ephemeral.test_ticket.t.name";
  const cases: readonly { name: string; files: string; want: RegExp }[] = [
    {
      name: "an argument that is kept",
      files: small("a", `value = ${value}`),
      want: /Invalid use of ephemeral value: Ephemeral values are not valid for "value", because it is not a write-only attribute and must be persisted to state/,
    },
    {
      name: "a data source",
      files: `data "test_lookup" "d" {\n name = ${value}\n}\n`,
      want: /Invalid use of ephemeral value/,
    },
    {
      name: "an output of the root",
      files: `output "o" {\n value = ${value}\n}\n`,
      want: /Ephemeral value not allowed: This output value is not declared as returning an ephemeral value/,
    },
    {
      name: "count",
      files: small("a", `count = ${value} == "" ? 1 : 0`),
      want: /Invalid count argument: The given "count" is derived from an ephemeral value/,
    },
    {
      name: "for_each",
      files: small("a", `for_each = { a = 1, (${value}) = 2 }`),
      want: /Invalid for_each argument: The given "for_each" value is derived from an ephemeral value/,
    },
  ];
  for (const { name, files, want } of cases) {
    test(name, async () => {
      const engine = new TestEngine(ticket() + files);
      if (name !== "for_each") expect(messages(await engine.validate()).join("\n")).toMatch(want);
      expect(messages((await engine.plan()).diagnostics).join("\n")).toMatch(want);
    });
  }
});

describe("a block that is wrong is refused", () => {
  const cases: readonly { name: string; files: string; want: RegExp }[] = [
    {
      name: "a type that the provider does not have",
      files: 'ephemeral "test_tikcet" "t" {\n}\n',
      want: /Invalid ephemeral resource: .*does not support ephemeral resource "test_tikcet"\. Did you mean "test_ticket"\?/,
    },
    {
      name: "a missing argument",
      files: 'ephemeral "test_ticket" "t" {\n}\n',
      want: /Missing required argument: The argument "name" is required/,
    },
    {
      name: "a lifecycle argument of managed resources",
      files: ticket("lifecycle {\n prevent_destroy = true\n}"),
      want: /Invalid data resource lifecycle argument: The lifecycle argument "prevent_destroy" is defined only for managed/,
    },
    {
      name: "a failed precondition",
      files: ticket('lifecycle {\n precondition {\n condition = path.module == "x"\n error_message = "No."\n }\n}'),
      want: /Resource precondition failed: No\./,
    },
  ];
  for (const { name, files, want } of cases) {
    test(name, async () => {
      expect(messages((await new TestEngine(files).plan()).diagnostics).join("\n")).toMatch(want);
    });
  }
});

import { impliedType } from "@millwright/provider/implied-type";
import type { Provider } from "@millwright/provider/protocol";
import { decodeJson } from "@millwright/value/json";
import { asMap, nullValue, objectValue, stringValue, type Value } from "@millwright/value/value";
import { describe, expect, test } from "vitest";
import type { PendingCreate } from "../backend/journal.ts";
import { actionsOf, messages, plainOf, summaries, TestEngine } from "../testing/test-engine.ts";

// Of providers that are programs of their own, which know of nothing beyond the plugin protocol.

const entry: PendingCreate = {
  address: "test_small.a",
  provider: 'provider["registry.terraform.io/millwright/test"]',
  type: "test_small",
  schemaVersion: 0,
  sent: '{"name":"a","value":null,"force":null,"id":"small/a","echo":null}',
  at: "2026-01-02T03:04:05Z",
};

type Read = Provider["readResource"];

const set = (value: Value, name: string, to: Value) => objectValue([...asMap(value), [name, to]]);
const gone: Read = async ({ current, private: bytes }) => ({
  newState: nullValue(current.type),
  private: bytes,
  diagnostics: [],
});
const there: Read = async ({ current, private: bytes }) => ({
  newState: set(set(current, "echo", stringValue("made")), "value", stringValue("1")),
  private: bytes,
  diagnostics: [],
});

function engineThat(read: Read, rest = ""): { readonly engine: TestEngine; readonly asked: unknown[] } {
  const engine = new TestEngine(`resource "test_small" "a" {\n  name = "a"\n  value = "1"\n  ${rest}\n}\n`);
  const asked: unknown[] = [];
  engine.wrap = (provider) => {
    const { findInterrupted: _, ...others } = provider;
    return {
      ...others,
      readResource: (call) => {
        asked.push(plainOf(call.current));
        return read(call);
      },
    };
  };
  return { engine, asked };
}

describe("a create without an answer, of a provider that is a program", () => {
  test("whose id was known before the call is read, and made again where it is not there", async () => {
    const { engine, asked } = engineThat(gone);
    const { plan, diagnostics } = await engine.plan({ interrupted: [entry] });
    expect(diagnostics).toEqual([]);
    expect(actionsOf(plan.changes)).toEqual(["create test_small.a"]);
    expect(plan.settled).toEqual(["test_small.a"]);
    expect(asked).toEqual([{ name: "a", value: null, force: null, id: "small/a", echo: null }]);
  });

  test("whose id was known before the call is taken over where it is there", async () => {
    const { engine } = engineThat(there);
    const { plan, diagnostics } = await engine.plan({ interrupted: [entry] });
    expect(summaries(diagnostics)).toEqual(["warning: Took over an object of an interrupted create"]);
    expect(actionsOf(plan.changes)).toEqual([]);
    expect(plan.settled).toEqual(["test_small.a"]);
  });

  test("is taken over as damaged where its provisioners may not have run", async () => {
    const { engine } = engineThat(there, 'provisioner "local-exec" {\n    command = "true"\n  }');
    const { plan, diagnostics } = await engine.plan({ interrupted: [entry] });
    expect(messages(diagnostics).join()).toContain("to be replaced");
    expect(actionsOf(plan.changes)).toEqual(["delete-create test_small.a because tainted"]);
  });

  const asked: readonly { readonly name: string; readonly read: Read; readonly sent: string; readonly why: RegExp }[] =
    [
      {
        name: "its id was not known before the call",
        read: there,
        sent: entry.sent.replace('"small/a"', "null"),
        why: /the provider gives it its identity/,
      },
      {
        name: "its provider fails to read",
        read: async ({ current, private: bytes }) => ({
          newState: current,
          private: bytes,
          diagnostics: [{ severity: "error", summary: "Forbidden", detail: "no right to read" }],
        }),
        sent: entry.sent,
        why: /Forbidden: no right to read/,
      },
      {
        name: "its provider does not look when it reads",
        read: async ({ current, private: bytes }) => ({ newState: current, private: bytes, diagnostics: [] }),
        sent: entry.sent,
        why: /as if it had not looked/,
      },
    ];
  test.each(asked)("is asked about where $name", async ({ read, sent, why }) => {
    const { engine } = engineThat(read);
    const { plan, diagnostics } = await engine.plan({ interrupted: [{ ...entry, sent }] });
    expect(summaries(diagnostics)).toEqual(["error: A create may have happened"]);
    expect(messages(diagnostics).join()).toMatch(why);
    expect(plan.settled).toEqual([]);
  });

  test("is settled by an import block, which says which object it is", async () => {
    const { engine } = engineThat(there);
    const withoutImport = engine.wrap;
    const type = impliedType((await engine.provider.start().schema()).resources.get("test_small")!.block);
    engine.wrap = (provider) => ({
      ...withoutImport(provider),
      importResourceState: async ({ id }) => {
        const state = decodeJson(JSON.stringify({ name: "a", value: null, force: null, id, echo: null }), type);
        if (!state.ok) throw new Error("the object fits the schema");
        const imported = [{ type: "test_small", state: state.value, private: new Uint8Array() }];
        return { imported, diagnostics: [] };
      },
    });
    engine.configure(
      'resource "test_small" "a" {\n  name = "a"\n  value = "1"\n}\nimport {\n  to = test_small.a\n  id = "7"\n}\n',
    );
    const sent = entry.sent.replace('"small/a"', "null");
    const { plan, diagnostics } = await engine.plan({ interrupted: [{ ...entry, sent }] });
    expect(messages(diagnostics)).toEqual([]);
    expect(plan.settled).toEqual(["test_small.a"]);
    expect(plan.changes.map(({ importing }) => importing?.id)).toEqual(["7"]);
  });
});

import { expect, test } from "vitest";
import { readReattach } from "./reattach.ts";

const entry = (changes: Record<string, unknown> = {}) => ({
  Protocol: "grpc",
  ProtocolVersion: 6,
  Pid: 1,
  Test: true,
  Addr: { Network: "unix", String: "/tmp/plugin1" },
  ...changes,
});

test("providers that run already are found by their source", () => {
  const text = JSON.stringify({
    "registry.terraform.io/a/b": entry(),
    old: entry({ ProtocolVersion: 0, Addr: { Network: "tcp", String: "127.0.0.1:7000" } }),
  });
  expect(readReattach(text)).toEqual({
    ok: true,
    targets: new Map([
      ["registry.terraform.io/a/b", { version: 6, address: { network: "unix", path: "/tmp/plugin1" } }],
      ["old", { version: 5, address: { network: "tcp", host: "127.0.0.1", port: 7000 } }],
    ]),
  });
});

test("without the variable there are none", () => {
  expect(readReattach(undefined)).toEqual({ ok: true, targets: new Map() });
});

test.each([
  { name: "what is no JSON", text: "{", want: /is no JSON\.$/ },
  { name: "a list", text: "[]", want: /is no JSON object/ },
  {
    name: "net/rpc",
    text: JSON.stringify({ x: entry({ Protocol: "netrpc" }) }),
    want: /of x has the protocol "netrpc"/,
  },
  { name: "another version", text: JSON.stringify({ x: entry({ ProtocolVersion: 7 }) }), want: /has the version 7/ },
  { name: "no address", text: JSON.stringify({ x: entry({ Addr: {} }) }), want: /has no address/ },
])("refuses $name", ({ text, want }) => {
  expect(readReattach(text)).toEqual({ ok: false, problem: expect.stringMatching(want) });
});

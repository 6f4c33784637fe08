import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { devSealFolder, serverConfigOf, serverFlags } from "./server-config.ts";

const io: CommandIo = {
  stdin: new PassThrough(),
  stdout: async () => undefined,
  stderr: async () => undefined,
  env: { HOME: "/home/ann", VAULT_TOKEN: "s3cret" },
  cwd: "/home/ann",
  isTerminal: false,
  view: { width: 80, colour: false },
  signal: new AbortController().signal,
};

async function configOf(...args: string[]) {
  const parsed = parseFlags(serverFlags, args, "anywhere");
  if (parsed.kind !== "parsed") throw new Error(`the flags cannot be read: ${args.join(" ")}`);
  return serverConfigOf(parsed.values, io);
}

describe("flags of a server", () => {
  const cases = [
    {
      name: "ask for a store of its own for secrets beside SQLite",
      args: ["-data-dir=d"],
      want: {
        store: { kind: "sqlite", dataFolder: "/home/ann/d" },
        secretsStore: { kind: "sqlite", dataFolder: "/home/ann/d" },
      },
    },
    {
      name: "put the secrets on another disk",
      args: ["-data-dir=d", "-secrets-data-dir=/secrets"],
      want: { secretsStore: { kind: "sqlite", dataFolder: "/secrets" } },
    },
    {
      name: "let gates run commands in the server's folder, with none of its secrets",
      args: ["-dev", "-enable-gate-commands"],
      want: { gateCommands: { folder: "/home/ann", env: expect.not.objectContaining({ VAULT_TOKEN: "s3cret" }) } },
    },
    {
      name: "take etcd's addresses with and without a scheme, and several at once",
      args: ["-store=etcd", "-data-dir=d", "-etcd-endpoints=a:1,https://b:2", "-etcd-endpoints=c:3"],
      want: { store: { kind: "etcd", endpoints: ["http://a:1", "https://b:2", "http://c:3"] } },
    },
    {
      name: "take free ports for everything with the port 0",
      args: ["-dev", "-http-port=0"],
      want: {
        http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
        vault: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
        dns: [{ host: "127.0.0.1", port: 0 }],
      },
    },
    {
      name: "serve no secrets and no names",
      args: ["-dev", "-vault-port=-1", "-dns-port=-1"],
      want: { vault: [], dns: [] },
    },
  ];
  test.each(cases)("$name", async ({ args, want }) => {
    expect(await configOf(...args)).toMatchObject(want);
  });

  test("share one store where that is asked for", async () => {
    expect(await configOf("-data-dir=d", "-secrets-store=shared")).not.toHaveProperty("secretsStore");
  });

  const mistakes = [
    { args: ["-store=etcd", "-data-dir=d", "-etcd-endpoints=:::"], want: "-etcd-endpoints=:::: write HOST:PORT" },
    { args: ["-store=etcd", "-data-dir=d"], want: "Give -etcd-endpoints" },
    { args: [], want: "Give -data-dir=FOLDER" },
    { args: ["-dev", "-secrets-store=mine"], want: "write own or shared" },
    { args: ["-dev", "-secrets-data-dir=x"], want: "-secrets-store=own" },
    { args: ["-dev", "-vault-port=70000"], want: "-vault-port=70000: write a number" },
    { args: ["-dev", "-dns-port=-2"], want: "or -1 for none" },
  ];
  test.each(mistakes)("$args is refused", async ({ args, want }) => {
    expect(await configOf(...args)).toContain(want);
  });
});

test("the unseal key of a development server is not in the data folder, and each folder has its own", () => {
  const one = devSealFolder("/data/a", { HOME: "/home/ann" });
  expect(one).toMatch(/^\/home\/ann\/\.local\/state\/millwright\/dev-[0-9a-f]{12}$/);
  expect(devSealFolder("/data/b", { HOME: "/home/ann" })).not.toBe(one);
  expect(devSealFolder("/data/a", { XDG_STATE_HOME: "/s" })).toMatch(/^\/s\/millwright\//);
});

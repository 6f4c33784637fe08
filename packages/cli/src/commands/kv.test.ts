import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "@millwright/server/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CommandOutcome, type CommandSetting, outcomeOf } from "../../test/kv-io.ts";
import { runConsul } from "./consul.ts";
import { type KvStyle, runKv } from "./kv.ts";

let server: RunningServer;
let env: Record<string, string>;
let folder: string;
beforeAll(async () => {
  server = await startServer({ http: [{ kind: "tcp", host: "127.0.0.1", port: 0 }] });
  const [address] = server.http;
  env = { CONSUL_HTTP_ADDR: address?.kind === "tcp" ? `127.0.0.1:${address.port}` : "" };
});
afterAll(() => server.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millwright-kv-"));
});
afterEach(async () => {
  await kv("delete", "-recurse");
  await rm(folder, { recursive: true });
});

function run(style: KvStyle, args: readonly string[], setting: CommandSetting = {}): Promise<CommandOutcome> {
  return outcomeOf((io) => runKv(args, io, style), { env, cwd: folder, ...setting });
}

const kv = (...args: string[]) => run("consul", args);

describe("what is printed is what consul kv prints", () => {
  const cases: {
    name: string;
    before?: string[][];
    args: string[];
    code?: number;
    out?: string | RegExp;
    err?: string;
  }[] = [
    { name: "put", args: ["put", "a", "1"], out: "Success! Data written to: a\n" },
    { name: "put without data", args: ["put", "a"], out: "Success! Data written to: a\n" },
    {
      name: "put of a key that begins with a slash",
      args: ["put", "/a", "1"],
      code: 1,
      err: "Error! Failed writing data: Invalid key. Key must not begin with a '/': /a\n",
    },
    { name: "put without a key", args: ["put"], code: 1, err: "Error! Missing KEY argument\n" },
    {
      name: "put of too much",
      args: ["put", "a", "b", "c"],
      code: 1,
      err: "Error! Too many arguments (expected 1 or 2, got 3)\n",
    },
    {
      name: "put of a file that is not there",
      args: ["put", "a", "@none"],
      code: 1,
      err: "Error! Failed to read file: open none: no such file or directory\n",
    },
    { name: "put in base 64", before: [["put", "-base64", "a", "aGVsbG8="]], args: ["get", "a"], out: "hello\n" },
    {
      name: "put of what is no base 64",
      args: ["put", "-base64", "a", "%"],
      code: 1,
      err: "Error! Cannot base 64 decode data: it has characters or a length that base 64 has not\n",
    },
    { name: "a first check-and-set", args: ["put", "-cas", "a", "1"], out: "Success! Data written to: a\n" },
    {
      name: "a check-and-set of a key that exists",
      before: [["put", "a", "1"]],
      args: ["put", "-cas", "a", "2"],
      code: 1,
      err: "Error! Did not write to a: CAS performed with index=0 and key already exists.\n",
    },
    {
      name: "a check-and-set at a wrong index",
      before: [["put", "a", "1"]],
      args: ["put", "-cas", "-modify-index=3", "a", "2"],
      code: 1,
      err: "Error! Did not write to a: CAS failed\n",
    },
    {
      name: "a lock without a session",
      args: ["put", "-acquire", "a"],
      code: 1,
      err: "Error! Missing -session (required with -acquire and -release)\n",
    },
    { name: "get", before: [["put", "a", "1"]], args: ["get", "a"], out: "1\n" },
    { name: "get with a slash before the key", before: [["put", "a", "1"]], args: ["get", "/a"], out: "1\n" },
    { name: "get in base 64", before: [["put", "a", "hello"]], args: ["get", "-base64", "a"], out: "aGVsbG8=\n" },
    { name: "get of a missing key", args: ["get", "none"], code: 1, err: "Error! No key exists at: none\n" },
    { name: "get without a key", args: ["get"], code: 1, err: "Error! Missing KEY argument\n" },
    { name: "get of too much", args: ["get", "a", "b"], code: 1, err: "Too many arguments (expected 1, got 2)\n" },
    {
      name: "get in detail",
      before: [["put", "-flags=42", "a", "1"]],
      args: ["get", "-detailed", "a"],
      out: /^CreateIndex {6}\d+\nFlags {12}42\nKey {14}a\nLockIndex {8}0\nModifyIndex {6}\d+\nSession {10}-\nValue {12}1\n$/,
    },
    {
      name: "recurse",
      before: [
        ["put", "a/1", "x"],
        ["put", "a/2", "y"],
      ],
      args: ["get", "-recurse", "a"],
      out: "a/1:x\na/2:y\n",
    },
    {
      name: "recurse in base 64",
      before: [["put", "a/1", "x"]],
      args: ["get", "-recurse", "-base64", "a"],
      out: "a/1:eA==\n",
    },
    { name: "recurse of nothing", args: ["get", "-recurse", "none"], out: "" },
    {
      name: "recurse in detail, an empty line between",
      before: [
        ["put", "a/1", "x"],
        ["put", "a/2", "y"],
      ],
      args: ["get", "-recurse", "-detailed", "a"],
      out: /Key {14}a\/1\n[^]*Value {12}x\n\nCreateIndex[^]*Value {12}y\n$/,
    },
    {
      name: "keys, cut at slashes",
      before: [
        ["put", "a/1", "x"],
        ["put", "b", "y"],
      ],
      args: ["get", "-keys"],
      out: "a/\nb\n",
    },
    {
      name: "keys with another separator",
      before: [["put", "a/1", "x"]],
      args: ["get", "-keys", "-separator="],
      out: "a/1\n",
    },
    { name: "keys of a whole tree", before: [["put", "a/1", "x"]], args: ["get", "-keys", "-recurse"], out: "a/1\n" },
    { name: "keys of nothing", args: ["get", "-keys", "none"], out: "" },
    { name: "delete", args: ["delete", "a"], out: "Success! Deleted key: a\n" },
    { name: "delete of a tree", args: ["delete", "-recurse", "a/"], out: "Success! Deleted keys with prefix: a/\n" },
    { name: "delete without a key", args: ["delete"], code: 1, err: "Error! Missing KEY argument\n" },
    {
      name: "delete at a wrong index",
      before: [["put", "a", "1"]],
      args: ["delete", "-cas", "-modify-index=2", "a"],
      code: 1,
      err: "Error! Did not delete key a: CAS failed\n",
    },
    {
      name: "delete with cas alone",
      args: ["delete", "-cas", "a"],
      code: 1,
      err: "Cannot delete a key that does not exist. Provide a -modify-index greater than than 0.\n",
    },
    {
      name: "delete with an index alone",
      args: ["delete", "-modify-index=2", "a"],
      code: 1,
      err: "Cannot specify -modify-index without -cas!\n",
    },
    {
      name: "delete with cas and recurse",
      args: ["delete", "-cas", "-modify-index=2", "-recurse", "a"],
      code: 1,
      err: "Cannot specify both -cas and -recurse!\n",
    },
    {
      name: "export",
      before: [["put", "-flags=7", "a/<1>", "x"]],
      args: ["export", "a/"],
      out: '[\n\t{\n\t\t"key": "a/\\u003c1\\u003e",\n\t\t"flags": 7,\n\t\t"value": "eA=="\n\t}\n]\n',
    },
    { name: "export of nothing", args: ["export", "none"], out: "[]\n" },
    {
      name: "import",
      args: ["import", '[{"key":"a/1","flags":3,"value":"eA=="},{"key":"dir/","value":""}]'],
      out: "Imported: a/1\nImported: dir/\n",
    },
    {
      name: "import below a prefix",
      args: ["import", "-prefix=new/", '[{"key":"a//1","value":"eA=="}]'],
      out: "Imported: new/a/1\n",
    },
    { name: "import of nothing", args: ["import"], code: 1, err: "Error! Missing DATA argument\n" },
    {
      name: "a misspelt flag",
      args: ["get", "-recurs", "a"],
      code: 1,
      err: "flag provided but not defined: -recurs\nDid you mean -recurse?\n",
    },
  ];
  for (const { name, before = [], args, code = 0, out = "", err = "" } of cases) {
    test(name, async () => {
      for (const earlier of before) await kv(...earlier);
      const outcome = await kv(...args);
      expect({ code: outcome.code, err: outcome.err }).toEqual({ code, err });
      if (typeof out === "string") expect(outcome.out).toBe(out);
      else expect(outcome.out).toMatch(out);
    });
  }
});

test("data comes from a file or standard input, byte by byte", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  await writeFile(join(folder, "data"), bytes);
  await kv("put", "file", "@data");
  await run("consul", ["put", "stdin", "-"], { stdin: bytes });
  await kv("put", "minus", "-1");
  for (const key of ["file", "stdin"]) {
    expect((await kv("get", "-base64", key)).out).toBe(`${Buffer.from(bytes).toString("base64")}\n`);
  }
  expect((await kv("get", "minus")).out).toBe("-1\n");
});

test("what was exported can be imported, flags of 64 bits included", async () => {
  await kv("put", "-flags=18446744073709551615", "a/1", "x");
  await kv("put", "a/empty");
  const { out } = await kv("export");
  await kv("delete", "-recurse");
  expect((await run("consul", ["import", "-"], { stdin: out })).code).toBe(0);
  expect((await kv("export")).out).toBe(out);
});

test("an import that is no list, or has no base 64, writes nothing", async () => {
  for (const data of [
    "{",
    "{}",
    '[{"value":""}]',
    '[{"key":"a","value":"%"}]',
    '[{"key":"a","flags":-1,"value":""}]',
  ]) {
    const outcome = await kv("import", data);
    expect(outcome).toMatchObject({ code: 1, out: "" });
    expect(outcome.err).toMatch(/^Cannot unmarshal data: /);
  }
  expect((await kv("get", "-keys")).out).toBe("");
});

describe("the two styles", () => {
  test("millwright takes flags anywhere, consul before the arguments", async () => {
    await kv("put", "a/1", "x");
    expect((await run("millwright", ["get", "a", "-recurse"])).out).toBe("a/1:x\n");
    expect(await kv("get", "a", "-recurse")).toMatchObject({
      code: 1,
      err: "Too many arguments (expected 1, got 2)\n",
    });
  });

  test("millwright lists names, consul does not know the word", async () => {
    await kv("put", "a/1", "x");
    await kv("put", "a/2", "x");
    expect((await run("millwright", ["list", "a/"])).out).toBe("a/1\na/2\n");
    expect((await run("millwright", ["list", "-separator=/"])).out).toBe("a/\n");
    expect((await kv("list")).code).toBe(1);
  });

  test("help has an example in the words of the one that was called", async () => {
    for (const style of ["consul", "millwright"] as const) {
      for (const command of ["get", "put", "delete", "export", "import"]) {
        const { code, out } = await run(style, [command, "-h"]);
        expect(code).toBe(0);
        expect(out).toContain(`      $ ${style} kv ${command} `);
        expect(out.split("\n").every((line) => line.length <= 130)).toBe(true);
      }
      expect((await run(style, ["--help"])).out).toContain(`$ ${style} kv get`);
    }
  });

  test("an unknown command names the nearest", async () => {
    const { code, err } = await run("millwright", ["lsit"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^There is no command "millwright kv lsit". Did you mean "millwright kv list"\?/);
  });
});

describe("a server that refuses or is not there", () => {
  test("an unreachable one is named with what to check", async () => {
    const outcome = await kv("get", "-http-addr=127.0.0.1:1", "a");
    expect(outcome.code).toBe(1);
    expect(outcome.err).toBe(
      "Error querying Consul agent: Cannot reach http://127.0.0.1:1: connection refused. Check that a server runs there, and that the address and port are right.\n",
    );
  });

  test("an address that is none is refused before anything is sent", async () => {
    const outcome = await kv("get", "-http-addr=ftp://x", "a");
    expect(outcome).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^Error connecting to Consul agent: "ftp:\/\/x" is no address/),
    });
  });

  test("a refusal is told in the words of Consul's client", async () => {
    const outcome = await kv("get", "-datacenter=dc9", "a");
    expect(outcome).toMatchObject({
      code: 1,
      err: "Error querying Consul agent: Unexpected response code: 500 (No path to datacenter)\n",
    });
    expect((await kv("put", "-datacenter=dc9", "a", "1")).err).toBe(
      "Error! Failed writing data: Unexpected response code: 500 (No path to datacenter)\n",
    );
  });
});

test("an interrupt ends a command that waits, with the shell's code and no word", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = silent.address();
  const stop = new AbortController();
  const args = ["get", `-http-addr=127.0.0.1:${typeof address === "object" ? address?.port : 0}`, "a"];
  const outcome = run("consul", args, { signal: stop.signal });
  setTimeout(() => stop.abort("SIGINT"), 50);
  expect(await outcome).toEqual({ code: 130, out: "", err: "" });
  silent.close();
});

test("consul snapshot saves to a file, and restores from it", async () => {
  const consul = (...args: string[]) => outcomeOf((io) => runConsul(args, io), { env, cwd: folder });
  await kv("put", "a", "kept");
  expect(await consul("snapshot", "save", "backup.snap")).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Saved and verified snapshot to index \d+\n$/),
  });
  await kv("put", "a", "changed");
  expect(await consul("snapshot", "restore", "backup.snap")).toMatchObject({ code: 0, out: "Restored snapshot\n" });
  expect((await kv("get", "a")).out).toBe("kept\n");
  const damaged = (await readFile(join(folder, "backup.snap"))).subarray(0, 100);
  await writeFile(join(folder, "bad.snap"), damaged);
  expect((await consul("snapshot", "restore", "bad.snap")).err).toMatch(
    /^Error restoring snapshot: .*Nothing was changed/,
  );
  expect((await consul("snapshot", "restore", "none.snap")).err).toMatch(/^Error restoring snapshot: ENOENT/);
  expect((await consul("snapshot", "save")).err).toBe("Missing FILE argument\n");
  expect((await consul("kv", "get", "a")).out).toBe("kept\n");
  expect((await consul("kvv")).err).toMatch(/Did you mean "consul kv"\?/);
});

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millwright/core/ports";
import type { BlockSchema } from "@millwright/provider/schema";
import {
  listValue,
  nullValue,
  numberValue,
  objectValue,
  stringValue,
  type Value,
  boolValue,
} from "@millwright/value/value";
import { stringType } from "@millwright/value/types";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProxy } from "../test/proxy-server.ts";
import { type SshServer, startSshServer } from "../test/ssh-server.ts";
import { connectionSchema } from "./connection.ts";
import { file } from "./file.ts";
import { localExec } from "./local-exec.ts";
import type { Provisioner } from "./provisioner.ts";
import { remoteExec } from "./remote-exec.ts";

let server: SshServer;
let folder: string;
beforeAll(async () => {
  server = await startSshServer();
  folder = mkdtempSync(join(tmpdir(), "millwright-provision-"));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Plain = string | number | boolean | readonly string[];

/** An object of a schema; what is not given is null. */
function objectOf({ attributes }: BlockSchema, given: Readonly<Record<string, Plain>>): Value {
  return objectValue(
    [...attributes].map(
      ([name, { type }]) => [name, Object.hasOwn(given, name) ? valueOf(given[name]!) : nullValue(type!)] as const,
    ),
  );
}

function valueOf(plain: Plain): Value {
  if (typeof plain === "string") return stringValue(plain);
  if (typeof plain === "number") return numberValue(plain);
  if (typeof plain === "boolean") return boolValue(plain);
  return listValue(plain.map(stringValue), stringType);
}

async function run(
  provisioner: Provisioner,
  config: Readonly<Record<string, Plain>>,
  connection: Readonly<Record<string, Plain>> = {},
  signal = new AbortController().signal,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const { port, user, privateKey } = server;
  const usual = { host: "127.0.0.1", port, user, private_key: privateKey, agent: false, timeout: "10s" };
  await provisioner.run({
    config: objectOf(provisioner.schema, config),
    connection: objectOf(connectionSchema, { ...usual, ...connection }),
    folder,
    env: { PATH: process.env.PATH },
    clock: systemClock,
    output: (line) => void lines.push(line),
    signal,
  });
  return lines;
}

describe("remote-exec", () => {
  test("runs lines, tells what they write, and leaves no script behind", async () => {
    const lines = await run(remoteExec, { inline: ["echo one $0", "echo two >&2"] });
    const script = lines.find((line) => line.startsWith("one "))!.slice(4);
    expect(lines).toContain("two");
    expect(lines).toContain("Connected!");
    expect(existsSync(script)).toBe(false);
  });

  test("runs scripts of this machine, in their order", async () => {
    writeFileSync(join(folder, "a.sh"), "#!/bin/sh\necho from a\n");
    writeFileSync(join(folder, "b.sh"), "#!/bin/sh\necho from b\n");
    const lines = await run(remoteExec, { scripts: ["a.sh", "b.sh"] });
    expect(lines.filter((line) => line.startsWith("from"))).toEqual(["from a", "from b"]);
  });

  test("fails with the status of what failed, and runs nothing after it", async () => {
    writeFileSync(join(folder, "bad.sh"), "#!/bin/sh\nexit 7\n");
    const marker = join(folder, "never");
    writeFileSync(join(folder, "later.sh"), `#!/bin/sh\ntouch ${marker}\n`);
    await expect(run(remoteExec, { scripts: ["bad.sh", "later.sh"] })).rejects.toThrow("Process exited with status 7");
    expect(existsSync(marker)).toBe(false);
  });

  test("puts a script through no link that is there, readable by nobody else, and takes it away also after an interrupt", async () => {
    const taken = join(folder, "taken.sh");
    writeFileSync(join(folder, "victim"), "kept");
    symlinkSync(join(folder, "victim"), taken);
    await run(remoteExec, { inline: ["true"] }, { script_path: taken });
    expect(readFileSync(join(folder, "victim"), "utf8")).toBe("kept");
    const script = join(folder, "mine.sh");
    const stop = new AbortController();
    const running = run(remoteExec, { inline: ["sleep 30"] }, { script_path: script }, stop.signal);
    await expect.poll(() => existsSync(script)).toBe(true);
    expect(statSync(script).mode & 0o077).toBe(0);
    setTimeout(() => stop.abort(new Error("interrupted")), 500);
    await expect(running).rejects.toThrow("interrupted");
    expect(existsSync(script)).toBe(false);
  });

  test("an interrupt ends what runs", async () => {
    const stop = new AbortController();
    const running = run(remoteExec, { inline: ["echo begun", "sleep 30"] }, {}, stop.signal);
    setTimeout(() => stop.abort(new Error("interrupted")), 1_000);
    await expect(running).rejects.toThrow("interrupted");
  });
});

describe("the way to a machine", () => {
  test("its key is looked at where one is given", async () => {
    expect(await run(remoteExec, { inline: ["true"] }, { host_key: server.hostKey })).toContain(
      "  Checking Host Key: true",
    );
    const wrong = server.hostKey.replace(
      /AAAA\S+/,
      "AAAAC3NzaC1lZDI1NTE5AAAAIF1111111111111111111111111111111111111111111",
    );
    await expect(run(remoteExec, { inline: ["true"] }, { host_key: wrong })).rejects.toThrow("is not the one");
  });

  test("may lead through another", async () => {
    const bastion = { bastion_host: "127.0.0.1", bastion_port: server.port };
    expect(await run(remoteExec, { inline: ["echo there"] }, bastion)).toContain("there");
  });

  const proxies: readonly { readonly name: string; readonly scheme?: string; readonly login: boolean }[] = [
    { name: "HTTP", login: false },
    { name: "HTTP that wants a login", scheme: "http", login: true },
    { name: "SOCKS", scheme: "socks5", login: false },
    { name: "SOCKS that wants a login", scheme: "socks5", login: true },
  ];
  test.each(proxies)("may lead through a proxy: $name", async ({ scheme, login }) => {
    const proxy = await startProxy(login ? { user: "me", password: "pass word" } : undefined);
    try {
      const given = {
        proxy_host: "127.0.0.1",
        proxy_port: proxy.port,
        ...(scheme === undefined ? {} : { proxy_scheme: scheme }),
        ...(login ? { proxy_user_name: "me", proxy_user_password: "pass word" } : {}),
      };
      const lines = await run(remoteExec, { inline: ["echo there"] }, given);
      expect(lines).toContain("there");
      expect(lines).toContain(`  ProxyPort: ${proxy.port}`);
      const bastion = { bastion_host: "127.0.0.1", bastion_port: server.port };
      expect(await run(remoteExec, { inline: ["echo there"] }, { ...given, ...bastion })).toContain("there");
      expect(proxy.asked).toEqual([`127.0.0.1:${server.port}`, `127.0.0.1:${server.port}`]);
      if (!login) return;
      const wrong = run(remoteExec, { inline: ["true"] }, { ...given, proxy_user_password: "x", timeout: "1s" });
      await expect(wrong).rejects.toThrow(/SSH login to .* failed: the proxy 127\.0\.0\.1:\d+ opened no way: /);
    } finally {
      await proxy.stop();
    }
  });

  test("is tried until the time is over, and then says why not", async () => {
    const refused = run(remoteExec, { inline: ["true"] }, { port: 1, timeout: "2s" });
    await expect(refused).rejects.toThrow(/timeout - last error: SSH login to .*@127\.0\.0\.1:1 failed/);
  });

  const wrong: readonly {
    readonly name: string;
    readonly given: Readonly<Record<string, Plain>>;
    readonly want: RegExp;
  }[] = [
    { name: "winrm", given: { type: "winrm" }, want: /"winrm" are not there/ },
    { name: "no host", given: { host: "" }, want: /needs the argument host/ },
    { name: "a time that is none", given: { timeout: "soon" }, want: /"soon" is not a duration/ },
    { name: "certificates", given: { certificate: "x" }, want: /certificate .* is refused: logins with certificates/ },
    {
      name: "an unknown kind of proxy",
      given: { proxy_host: "p", proxy_port: 1, proxy_scheme: "ftp" },
      want: /"ftp"; there are http, https, socks5/,
    },
    { name: "a proxy without a port", given: { proxy_host: "p" }, want: /without its proxy_port/ },
  ];
  test.each(wrong)("cannot be by $name", async ({ given, want }) => {
    await expect(run(remoteExec, { inline: ["true"] }, given)).rejects.toThrow(want);
  });
});

describe("file", () => {
  test("writes a text, a file under its name in a folder, and whole folders", async () => {
    const there = join(folder, "there");
    mkdirSync(join(folder, "tree", "inner"), { recursive: true });
    mkdirSync(there);
    writeFileSync(join(folder, "tree", "inner", "leaf"), "leaf");
    writeFileSync(join(folder, "one.txt"), "one");
    await run(file, { content: "text", destination: join(there, "text") });
    await run(file, { source: "one.txt", destination: there });
    await run(file, { source: "tree", destination: there });
    await run(file, { source: "tree/", destination: join(there, "bare") });
    expect(readFileSync(join(there, "text"), "utf8")).toBe("text");
    expect(readFileSync(join(there, "one.txt"), "utf8")).toBe("one");
    expect(readFileSync(join(there, "tree", "inner", "leaf"), "utf8")).toBe("leaf");
    expect(readFileSync(join(there, "bare", "inner", "leaf"), "utf8")).toBe("leaf");
  });

  test("says what is not there, here and there", async () => {
    await expect(run(file, { source: "missing", destination: "/tmp/x" })).rejects.toThrow("missing cannot be read");
    const closed = join(folder, "no-such-folder", "x");
    await expect(run(file, { content: "x", destination: closed })).rejects.toThrow(closed);
  });
});

describe("what is wrong before anything runs", () => {
  const cases: readonly {
    readonly provisioner: Provisioner;
    readonly given: Readonly<Record<string, Plain>>;
    readonly want: string;
  }[] = [
    {
      provisioner: localExec,
      given: { command: " " },
      want: "local-exec provisioner command must be a non-empty string",
    },
    { provisioner: localExec, given: {}, want: "local-exec provisioner command must be a non-empty string" },
    { provisioner: remoteExec, given: {}, want: 'One of "inline", "script", or "scripts" must be set' },
    {
      provisioner: remoteExec,
      given: { script: "a", scripts: ["b"] },
      want: 'Only one of "inline", "script", or "scripts" must be set',
    },
    { provisioner: file, given: { destination: "/x" }, want: "Must provide one of 'source' or 'content'" },
    {
      provisioner: file,
      given: { source: "a", content: "b", destination: "/x" },
      want: "Cannot set both 'source' and 'content'",
    },
    { provisioner: file, given: { content: "b" }, want: "Must provide 'destination'" },
  ];
  test.each(cases)("$want", ({ provisioner, given, want }) => {
    expect(provisioner.validate(objectOf(provisioner.schema, given))).toEqual([want]);
  });
});

describe("local-exec", () => {
  test("ends with an interrupt, with all that it has started", async () => {
    const stop = new AbortController();
    const script = join(folder, "long.sh");
    writeFileSync(script, "#!/bin/sh\nsleep 30 & echo $!; wait\n");
    chmodSync(script, 0o755);
    const lines: string[] = [];
    const running = localExec.run({
      config: objectOf(localExec.schema, { command: script }),
      folder,
      env: { PATH: process.env.PATH },
      clock: systemClock,
      output: (line) => void lines.push(line),
      signal: stop.signal,
    });
    await expect.poll(() => lines.length).toBe(2);
    stop.abort();
    await expect(running).rejects.toThrow("signal: SIGINT");
    const stat = join("/proc", lines[1]!, "stat");
    // Where nobody is left to ask how it ended, the kernel keeps its last word.
    expect(existsSync(stat) ? readFileSync(stat, "utf8") : ") Z").toMatch(/\) Z/);
  });
});

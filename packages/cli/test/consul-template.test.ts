import { copyFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeServers, fakeServers } from "./fake-servers.ts";
import { TestFolder } from "./folder.ts";
import { type Ended, Process } from "./process.ts";
import { caseKeys, templateCases } from "./template-cases.ts";

/* The real program, over servers that answer as Consul and Vault do. */

let servers: FakeServers;
let folder: TestFolder;
const started: Process[] = [];

beforeEach(async () => {
  servers = await fakeServers();
  folder = new TestFolder();
});
afterEach(async () => {
  for (const one of started.splice(0)) {
    if (!one.hasEnded) one.signal("SIGKILL");
    await one.ended;
  }
  folder.remove();
  await servers.close();
});

function environment(): Readonly<Record<string, string>> {
  return { CONSUL_HTTP_ADDR: servers.address, VAULT_ADDR: servers.address, VAULT_TOKEN: "hvs.t0ken" };
}

function start(...args: readonly string[]): Process {
  const process = Process.start(["consul-template", ...args], { cwd: folder.path, env: environment() });
  started.push(process);
  return process;
}

function run(...args: readonly string[]): Promise<Ended> {
  const process = start(...args);
  process.closeInput();
  return process.ended;
}

function read(name: string): string | undefined {
  return existsSync(join(folder.path, name)) ? folder.read(name) : undefined;
}

/** A process that has ended may be in the table until its parent has looked. */
function runs(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

test("renders as consul-template does", async () => {
  const golden = new URL("../testdata/consul-template/rendered.json", import.meta.url);
  const want = JSON.parse(readFileSync(golden, "utf8")) as Record<string, string>;
  for (const [key, value] of Object.entries(caseKeys)) servers.putKey(key, value);
  folder.write({ "included.txt": "a file's text\n" });
  const names = Object.keys(templateCases);
  for (const [i, name] of names.entries()) folder.write({ [`${i}.ctmpl`]: templateCases[name]! });
  const flags = names.map((_, i) => `-template=${i}.ctmpl:${i}`);
  const ended = await Process.run(["consul-template", "-once", ...flags], {
    cwd: folder.path,
    env: { ...environment(), CASE_VARIABLE: "v" },
  });
  expect(ended).toEqual({ code: 0, out: "", err: "" });
  expect(Object.fromEntries(names.map((name, i) => [name, folder.read(String(i))]))).toEqual(want);
});

describe("the talk's template", () => {
  const app =
    "trap 'echo stopped > app.end; exit 0' INT; cat myapp-db-config.yml > app.start; while :; do sleep 0.05; done";

  beforeEach(() => {
    const fixture = new URL("../testdata/consul-template/myapp-db-config.yml.ctmpl", import.meta.url);
    copyFileSync(fixture, join(folder.path, "myapp-db-config.yml.ctmpl"));
    folder.write({ myapp: `#!/bin/sh\n${app}\n` });
  });

  test("is rendered before the program starts; an interrupt ends that and gives the lease back", async () => {
    const running = start("-template=myapp-db-config.yml.ctmpl:myapp-db-config.yml", "sh", "./myapp");
    await until(() => read("app.start")?.includes("database") === true && servers.leases.size === 1);
    const config = '---\nusername: "v-user-1"\npassword: "p-word-1"\ndatabase: "myapp"\n';
    expect([read("myapp-db-config.yml"), read("app.start")]).toEqual([config, config]);
    running.signal("SIGINT");
    const { code, err } = await running.ended;
    expect({ code, err, end: read("app.end"), leases: [...servers.leases] }).toEqual({
      code: 12,
      err: "Received interrupt, cleaning up...\n",
      end: "stopped\n",
      leases: [],
    });
  });

  test("keeps its lease for whoever reads the file where no program runs beside it", async () => {
    expect(await run("-once", "-template=myapp-db-config.yml.ctmpl:out.yml")).toMatchObject({ code: 0 });
    expect(servers.leases.size).toBe(1);
  });

  test("gives back what was leased for nothing", async () => {
    const template = "-template=myapp-db-config.yml.ctmpl:out.yml";
    expect(await run("-once", "-dry", template)).toMatchObject({ code: 0, out: expect.stringContaining("v-user-1") });
    expect(servers.leases.size).toBe(0);
    folder.write({ "wait.ctmpl": '{{ with secret "postgresql/creds/web" }}{{ key "none" }}{{ end }}' });
    const waiting = start("-once", "-template=wait.ctmpl:wait");
    await until(() => waiting.err.includes("waits for"));
    expect(servers.leases.size).toBe(1);
    waiting.signal("SIGINT");
    expect(await waiting.ended).toMatchObject({ code: 12 });
    expect([servers.leases.size, read("wait")]).toEqual([0, undefined]);
  });

  test("shows neither credential nor token in its log", async () => {
    const running = start(
      "-log-level=trace",
      "-log-file=app.log",
      "-template=myapp-db-config.yml.ctmpl:out.yml",
      "sh",
      "./myapp",
    );
    await until(() => servers.leases.size === 1 && read("out.yml") !== undefined);
    running.signal("SIGINT");
    const { out, err } = await running.ended;
    const told = out + err + folder.read("app.log");
    expect(told).toContain("rendered myapp-db-config.yml.ctmpl => out.yml");
    expect(told).not.toMatch(/p-word|v-user|hvs\.t0ken/);
    expect(statSync(join(folder.path, "app.log")).mode & 0o777).toBe(0o600);
  });
});

test("a lease is renewed at two thirds of its duration", async () => {
  await servers.close();
  servers = await fakeServers({ leaseSeconds: 1 });
  folder.write({ "a.ctmpl": '{{ with secret "postgresql/creds/web" }}{{ .Data.username }}{{ end }}' });
  const running = start("-template=a.ctmpl:a", "sleep", "60");
  await until(() => [...servers.leases.values()][0] === 2);
  expect(folder.read("a")).toBe("v-user-1");
  running.signal("SIGINT");
  await running.ended;
  expect(servers.leases.size).toBe(0);
});

describe("a change", () => {
  test("is rendered anew, and runs the command once for all files that it changed", async () => {
    servers.putKey("name", "one");
    folder.write({ "a.ctmpl": 'a {{ key "name" }}', "b.ctmpl": 'b {{ key "name" }}' });
    const command = 'echo "$(cat a) $(cat b)" >> log';
    const running = start(...["a", "b"].map((name) => `-template=${name}.ctmpl:${name}:${command}`));
    await until(() => read("log") === "a one b one\n");
    servers.putKey("other", "x");
    servers.putKey("name", "two");
    await until(() => read("log") === "a one b one\na two b two\n");
    running.signal("SIGINT");
    expect(await running.ended).toMatchObject({ code: 12, out: "" });
  });

  test("starts the program anew, or is told to it by a signal", async () => {
    servers.putKey("name", "one");
    folder.write({
      "a.ctmpl": '{{ key "name" }}',
      "app.sh": "trap 'echo told >> log' USR1; echo up $(cat a) >> log; while :; do sleep 0.05; done",
    });
    const anew = start("-template=a.ctmpl:a", "sh", "app.sh");
    await until(() => read("log") === "up one\n");
    servers.putKey("name", "two");
    await until(() => read("log") === "up one\nup two\n");
    anew.signal("SIGINT");
    await anew.ended;
    const told = start("-template=a.ctmpl:a", "-exec-reload-signal=SIGUSR1", "-exec=sh app.sh");
    await until(() => read("log") === "up one\nup two\nup two\n");
    servers.putKey("name", "three");
    await until(() => read("log") === "up one\nup two\nup two\ntold\n");
    told.signal("SIGINT");
    await told.ended;
  });

  test("waits for rest where that is asked", async () => {
    servers.putKey("name", "one");
    folder.write({ "a.ctmpl": '{{ key "name" }}' });
    const running = start("-wait=600ms:5s", "-template=a.ctmpl:a:cat a >> log; echo >> log");
    await until(() => read("log") === "one\n");
    servers.putKey("name", "two");
    await new Promise((resolve) => setTimeout(resolve, 300));
    servers.putKey("name", "three");
    await until(() => read("log") === "one\nthree\n");
    running.signal("SIGINT");
    await running.ended;
  });
});

describe("the program beside the templates", () => {
  test("ends the run with its exit code", async () => {
    folder.write({ "a.ctmpl": "x" });
    expect(await run("-template=a.ctmpl:a", "sh", "-c", "exit 7")).toMatchObject({ code: 7, err: "" });
    expect(await run("-template=a.ctmpl:a", "-exec=kill -9 $$")).toMatchObject({ code: 137 });
    expect(await run("-once", "-template=a.ctmpl:a", "-exec=echo done")).toMatchObject({ code: 0, out: "done\n" });
  });

  test("gets its arguments as they are, and signals that are not for this program", async () => {
    folder.write({ "app.sh": 'trap "echo usr2" USR2; trap "exit 5" TERM; echo "[$1]"; while :; do sleep 0.05; done' });
    const running = start("-template=app.sh:copy", "sh", "./app.sh", 'a "b" $c *');
    await until(() => running.out === '[a "b" $c *]\n');
    running.signal("SIGUSR2");
    await until(() => running.out.endsWith("usr2\n"));
    running.signal("SIGTERM");
    expect(await running.ended).toMatchObject({ code: 5 });
  });

  test("is killed with what it started when it does not end in time", async () => {
    folder.write({
      "a.ctmpl": "x",
      "app.sh": "trap '' INT TERM; sh -c 'echo $$ > inner; while :; do sleep 1; done' & while :; do sleep 1; done",
    });
    const running = start("-template=a.ctmpl:a", "-exec-kill-timeout=200ms", "sh", "app.sh");
    await until(() => read("inner")?.endsWith("\n") === true);
    running.signal("SIGINT");
    expect(await running.ended).toMatchObject({ code: 12 });
    expect(runs(folder.read("inner").trim())).toBe(false);
  });

  test("that cannot be started is a clear failure", async () => {
    folder.write({ "a.ctmpl": "x" });
    const { code, err } = await run("-template=a.ctmpl:a", "./no-such-program");
    expect({ code, err }).toEqual({
      code: 14,
      err: expect.stringContaining("Cannot start ./no-such-program: there is no such program"),
    });
  });
});

describe("a configuration file", () => {
  const hcl = (target: string) => `
# HCL 1, as these files are written
wait = "1ms:5ms"
template {
  contents    = <<EOF
<% key "name" %> \${not} {{ plain }}
EOF
  destination = "${target}"
  perms       = 0640
  backup      = true
  left_delimiter  = "<%"
  right_delimiter = "%>"
}
`;

  test("is read in HCL and JSON, whole folders too, and again at SIGHUP", async () => {
    servers.putKey("name", "one");
    folder.write({
      "conf/a.hcl": hcl("out/deep/a"),
      "conf/b.json": '{"template": [{"contents": "json", "destination": "b"}]}',
    });
    const running = start("-config=conf", "-pid-file=pid");
    await until(() => read("out/deep/a") === "one ${not} {{ plain }}\n" && read("b") === "json");
    expect(statSync(join(folder.path, "out/deep/a")).mode & 0o777).toBe(0o640);
    servers.putKey("name", "two");
    await until(() => read("out/deep/a") === "two ${not} {{ plain }}\n");
    expect(read("out/deep/a.bak")).toBe("one ${not} {{ plain }}\n");
    folder.write({ "conf/a.hcl": hcl("moved") });
    process.kill(Number(folder.read("pid")), "SIGHUP");
    await until(() => read("moved") === "two ${not} {{ plain }}\n");
    running.signal("SIGINT");
    expect(await running.ended).toMatchObject({ code: 12 });
    expect(existsSync(join(folder.path, "pid"))).toBe(false);
  });

  test("with mistakes is refused, each with its place", async () => {
    folder.write({
      "c.hcl":
        'template {\n  source = "a.ctmpl"\n  destinaton = "b"\n}\nexec {\n  kill_timeout = 5\n  reload_signal = "SIGNONE"\n}\nlog_levle = "info"\n',
    });
    const { code, err } = await run("-config=c.hcl");
    expect(code).toBe(15);
    for (const part of [
      "on c.hcl line 3, in template:",
      'Did you mean\n│ "destination"?',
      '"kill_timeout" is a duration with its unit, such as "30s" or "5m".',
      '"reload_signal" is the name of a signal, such as SIGHUP.',
      "on c.hcl line 9:",
    ])
      expect(err).toContain(part);
  });
});

describe("what is wrong", () => {
  const cases: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly code: number;
    readonly says: readonly string[];
  }[] = [
    {
      name: "a malformed template",
      args: ["-template=bad.ctmpl:out"],
      code: 14,
      says: [
        "on bad.ctmpl line 1",
        "Missing value for if",
        'Function "sprig_upper" not defined',
        "on bad.ctmpl line 2",
      ],
    },
    {
      name: "a template that is not there",
      args: ["-template=none.ctmpl:out"],
      code: 14,
      says: ["none.ctmpl: there is no such file"],
    },
    { name: "no template", args: [], code: 15, says: ["Nothing to render", "-template=IN:OUT"] },
    {
      name: "no destination",
      args: ["-template=ok.ctmpl"],
      code: 14,
      says: ["Template without a destination", "on ok.ctmpl"],
    },
    {
      name: "an unknown flag",
      args: ["-tempalte=x"],
      code: 13,
      says: ["flag provided but not defined: -tempalte", "Did you mean -template?"],
    },
    {
      name: "a bad value of a flag",
      args: ["-wait=soon", "-template=ok.ctmpl:out"],
      code: 13,
      says: ['invalid value "soon" for flag -wait'],
    },
    {
      name: "a configuration that is not there",
      args: ["-config=none.hcl"],
      code: 15,
      says: ["none.hcl: there is no such file or folder"],
    },
    {
      name: "a destination in a folder that cannot be",
      args: ["-template=ok.ctmpl:ok.ctmpl/out"],
      code: 14,
      says: ["Cannot write"],
    },
    {
      name: "a failing command",
      args: ["-template=ok.ctmpl:out:exit 3"],
      code: 14,
      says: ['The command "exit 3" failed with exit code 3.'],
    },
    {
      name: "a command that is not there",
      args: ["-template=ok.ctmpl:out:./none"],
      code: 14,
      says: ["Cannot start ./none: there is no such program"],
    },
    {
      name: "a function that is not there",
      args: ["-template=connect.ctmpl:out"],
      code: 14,
      says: ["connect is not there: there is no service mesh here; use service"],
    },
    {
      name: "a program that templates may not run",
      args: ["-template=plugin.ctmpl:out"],
      code: 14,
      says: ["a template does not run programs here"],
    },
    {
      name: "a malformed service",
      args: ["-template=service.ctmpl:out"],
      code: 14,
      says: ['"we b" is not understood: a service is written'],
    },
    {
      name: "a forbidden path",
      args: ["-vault-retry=false", "-template=forbidden.ctmpl:out"],
      code: 14,
      says: ["vault.read(forbidden)", "permission denied", "Check the token"],
    },
    {
      name: "a secret that is not there",
      args: ["-vault-retry-attempts=1", "-vault-retry-backoff=1ms", "-template=absent.ctmpl:out"],
      code: 14,
      says: ["There is no secret at secret/data/none", "retry attempt 1 after 1ms"],
    },
    {
      name: "a server that is not there",
      args: ["-consul-addr=127.0.0.1:1", "-consul-retry=false", "-template=key.ctmpl:out"],
      code: 14,
      says: ["kv.get(none)", "Cannot reach http://127.0.0.1:1: connection refused"],
    },
  ];

  test.each(cases)("$name is said, and nothing is left half-made", async ({ args, code, says }) => {
    folder.write({
      "bad.ctmpl": '{{ sprig_upper "x" }}\n{{ if }}\n',
      "ok.ctmpl": "ok",
      "connect.ctmpl": '{{ connect "web" }}',
      "plugin.ctmpl": '{{ plugin "date" }}',
      "service.ctmpl": '{{ service "we b" }}',
      "forbidden.ctmpl": '{{ with secret "forbidden" }}{{ .Data }}{{ end }}',
      "absent.ctmpl": '{{ with secret "secret/none" }}{{ .Data }}{{ end }}',
      "key.ctmpl": '{{ key "none" }}',
    });
    const before = Object.keys(folder.everything()).length;
    const ended = await run("-once", ...args);
    for (const part of says) expect(ended.err).toContain(part);
    expect(ended.code).toBe(code);
    const isWritten = args.some((arg) => arg.startsWith("-template=ok.ctmpl:out:"));
    expect(Object.keys(folder.everything()).length).toBe(before + (isWritten ? 1 : 0));
  });

  test("a key that is not there is waited for, which is said once", async () => {
    folder.write({ "a.ctmpl": '{{ key "app/late" }}' });
    const running = start("-once", "-template=a.ctmpl:a");
    await until(() => running.err.includes("\n"));
    expect(running.err).toContain("a.ctmpl waits for kv.get(app/late): nothing is there yet. Write it");
    servers.putKey("app/other", "x");
    servers.putKey("app/late", "here");
    expect(await running.ended).toMatchObject({ code: 0, err: expect.stringMatching(/^[^\n]*\n$/) });
    expect(folder.read("a")).toBe("here");
  });
});

test("a dry run prints and writes nothing", async () => {
  servers.putKey("name", "one");
  folder.write({ "a.ctmpl": '{{ key "name" }}\n' });
  const args = ["-once", "-dry", "-template=a.ctmpl:a", "-exec=touch ran"];
  expect(await run(...args)).toEqual({ code: 0, out: "> a\none\n", err: "" });
  expect([read("a"), read("ran")]).toEqual([undefined, undefined]);
});

test("parsing alone asks no server", async () => {
  folder.write({ "a.ctmpl": '{{ key "name" }}' });
  expect(await run("-parse-only", "-template=a.ctmpl:a")).toEqual({ code: 0, out: "", err: "" });
  expect(servers.requests).toEqual([]);
});

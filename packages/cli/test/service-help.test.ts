import { describe, expect, test } from "vitest";
import { runConsul } from "../src/commands/consul.ts";
import { runAgent } from "../src/commands/agent.ts";
import { runDev } from "../src/commands/dev.ts";
import { runKv } from "../src/commands/kv.ts";
import { runServer } from "../src/commands/server.ts";
import { runConsulTemplate } from "../src/consul-template/main.ts";
import { runDiscoveryCommand } from "../src/consul/main.ts";
import type { CommandIo } from "../src/io.ts";
import { type JobGroup, runJobGroup, runNomad } from "../src/nomad/main.ts";
import { runSecretGroup, runVault, type SecretGroup } from "../src/vault/main.ts";
import { outcomeOf } from "./kv-io.ts";

/* The help of every command of servers and nodes, found by following the overviews. */

interface Program {
  readonly name: string;
  run(args: readonly string[], io: CommandIo): Promise<number>;
  /** The words of its commands, as its own overview lists them. */
  readonly overview?: RegExp;
}

const group = (name: SecretGroup): Program => ({
  name: `millwright ${name}`,
  run: (args, io) => runSecretGroup(name, args, io),
  overview: /^ {4}(\S+(?: \S+)*?) {2,}\S/gm,
});

const jobGroup = (name: JobGroup): Program => ({
  name: `millwright ${name}`,
  run: (args, io) => runJobGroup(name, args, io),
  overview: /^ {4}(\S+) {2,}\S/gm,
});

const programs: readonly Program[] = [
  { name: "nomad", run: (args, io) => runNomad(args, io), overview: /^ {4}(\S+(?: \S+)*?) {2,}\S/gm },
  ...(["job", "alloc", "node", "deployment", "eval"] as const).map(jobGroup),
  { name: "vault", run: runVault, overview: /^ {4}(\S+(?: \S+)*?) {2,}\S/gm },
  { name: "consul", run: runConsul, overview: /^ {4}(\S+) {2,}\S/gm },
  { name: "consul kv", run: (args, io) => runConsul(["kv", ...args], io), overview: /^ {4}(\S+) {2,}\S/gm },
  { name: "consul catalog", run: (args, io) => runConsul(["catalog", ...args], io), overview: /^ {4}(\S+) {2,}\S/gm },
  { name: "consul services", run: (args, io) => runConsul(["services", ...args], io), overview: /^ {4}(\S+) {2,}\S/gm },
  { name: "millwright kv", run: (args, io) => runKv([...args], io, "millwright"), overview: /^ {4}(\S+) {2,}\S/gm },
  ...(["secret", "lease", "policy", "token", "auth", "audit", "operator"] as const).map(group),
  {
    name: "millwright services",
    run: (args, io) => runDiscoveryCommand("services", args, io, "millwright"),
    overview: /^ {4}(\S+) {2,}\S/gm,
  },
  { name: "millwright lock", run: (args, io) => runDiscoveryCommand("lock", args, io, "millwright") },
  { name: "millwright watch", run: (args, io) => runDiscoveryCommand("watch", args, io, "millwright") },
  { name: "consul-template", run: (args, io) => runConsulTemplate(args, io, "consul-template") },
  { name: "millwright template", run: (args, io) => runConsulTemplate(args, io, "millwright template") },
  { name: "millwright dev", run: runDev },
  { name: "millwright server", run: runServer },
  { name: "millwright agent", run: runAgent },
];

/** Each program with each of its commands: what to type before `-help`. */
async function commandLines({ name, run, overview }: Program): Promise<readonly string[]> {
  if (!overview) return [name];
  const { out, err } = await outcomeOf((io) => run(["-help"], io));
  const words = [...`${out}${err}`.matchAll(overview)].map(([, found]) => found!);
  expect(words.length, `commands in the overview of ${name}`).toBeGreaterThan(1);
  return [name, ...words.filter((word) => word !== "version").map((word) => `${name} ${word}`)];
}

describe.each(programs)("the help of $name", (program) => {
  test("and of each of its commands is on standard output, says how it is called, gives an example and fits 80 columns", async () => {
    for (const line of await commandLines(program)) {
      const words = line.slice(program.name.length).trim();
      const args = [...(words === "" ? [] : words.split(" ")), "-help"];
      const { code, out, err } = await outcomeOf((io) => program.run(args, io));
      expect({ line, code, err }).toEqual({ line, code: 0, err: "" });
      expect(out).toContain(`Usage: ${line} `);
      expect(
        out.split("\n").filter((one) => one.length > 80),
        line,
      ).toEqual([]);
      expect(out, line).toMatch(/^ +\$ \S|^Example: |^ {4,}(?:millwright|consul|vault|consul-template) \S/m);
    }
  });
});

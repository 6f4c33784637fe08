import { describe, expect, test } from "vitest";
import { runProgram } from "./program.ts";

/** Tells of each module as it is loaded. */
const hook = `data:text/javascript,${encodeURIComponent(
  'import { registerHooks } from "node:module"; registerHooks({ load(url, context, next) { if (url.startsWith("file:")) process.stderr.write("LOAD " + url + "\\n"); return next(url, context); } });',
)}`;

/** The packages of which a command loads anything. */
async function packagesOf(args: readonly string[]): Promise<readonly string[]> {
  const { err } = await runProgram(args, {
    env: { NODE_OPTIONS: `--import=${hook}`, CONSUL_HTTP_ADDR: "127.0.0.1:1", NOMAD_ADDR: "http://127.0.0.1:1" },
  });
  const names = [...err.matchAll(/^LOAD file:.*\/(?:packages|node_modules)\/((?:@[^/]+\/)?[^/]+)\//gm)].map(
    (m) => m[1]!,
  );
  return [...new Set(names)].sort();
}

/** What no small command needs. */
const heavy = ["engine", "functions", "hcl", "node", "provider", "providers", "server", "store", "value", "yaml"];

describe("a command loads what it needs", () => {
  const cases = [
    { args: ["--version"], want: ["cli"] },
    { args: ["kv", "get", "a"], want: ["cli", "clients", "core", "text"] },
    { args: ["vault", "read", "a", "-address=http://127.0.0.1:1"], without: heavy },
    { args: ["vault", "-help"], without: heavy },
    { args: ["nomad", "status"], without: [...heavy, "jobs", "template"] },
    { args: ["job", "-help"], want: ["cli", "core"] },
    { args: ["services", "list"], want: ["cli", "clients", "core", "text"] },
    { args: ["consul", "members"], without: heavy },
    { args: ["lock", "-help"], without: heavy },
    { args: ["--help"], want: ["cli", "core"] },
    { args: ["terraform", "-help"], want: ["cli", "core"] },
    { args: ["fmt", "-help"], without: ["store", "providers", "server", "clients", "yaml"] },
    { args: ["server", "--help"], without: ["engine", "functions", "hcl", "provider", "providers", "value"] },
    { args: ["plan", "-help"], without: ["server", "store", "discovery", "clients"] },
  ];
  test.each(cases)("$args", async ({ args, want, without }) => {
    const loaded = await packagesOf(args);
    expect(loaded).toContain("cli");
    if (want) expect(loaded).toEqual(want);
    for (const name of without ?? []) expect(loaded).not.toContain(name);
  });
});

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Outcome, root, runCommand, startServerProcess } from "./support/commands.ts";
import { workspacePackages } from "./support/packages.ts";

/* The packages as npm would publish them, installed into an empty folder outside this repository, and used there. */

let folder: string;
let installed: string;
let millwright: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "millwright-packed-"));
  installed = join(folder, "node_modules");
  millwright = join(installed, ".bin", "millwright");
  const tarballs = (await succeeds(process.execPath, ["scripts/pack.mjs"], root)).out.trim().split("\n");
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }\n');
  await succeeds("npm", ["install", ...quiet, ...tarballs], folder);
  env = { PATH: `${decoy()}:/usr/bin:/bin`, HOME: folder, TF_CLI_CONFIG_FILE: "/dev/null" };
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder for the PATH in which `node` is not one that could run us: the packages bring their own. */
function decoy(): string {
  const bin = join(folder, "decoy");
  mkdirSync(bin);
  writeFileSync(join(bin, "node"), "#!/bin/sh\necho 'this is not the pinned Node' >&2\nexit 1\n", { mode: 0o755 });
  return bin;
}

async function succeeds(program: string, args: readonly string[], cwd: string, env = process.env): Promise<Outcome> {
  const outcome = await runCommand(program, args, { cwd, env });
  expect(outcome.code, `${basename(program)} ${args[0]}\n${outcome.out}${outcome.err}`).toBe(0);
  return outcome;
}

function freshFolder(files: Readonly<Record<string, string>>): string {
  const fresh = mkdtempSync(join(folder, "work-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(fresh, name), text);
  return fresh;
}

/** Files of our packages as they are installed, from `node_modules`. */
function ourFiles(): readonly string[] {
  const ours = readdirSync(join(installed, "@millwright")).map((name) => join("@millwright", name));
  return [...ours, "millwright"].flatMap((name) =>
    readdirSync(join(installed, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1)),
  );
}

describe("what is packed", () => {
  test("every package is there, compiled, with its license, and without tests", () => {
    const files = ourFiles();
    for (const name of ["package.json", "LICENSE"])
      expect(files.filter((path) => path.endsWith(`/${name}`))).toHaveLength(workspacePackages().length);
    const allowed = /(\/package\.json|\/LICENSE|\.js|\.d\.ts|\/src\/.+\.(mjs|sh)|\/bin\/millwright)$/;
    expect(files.filter((path) => !allowed.test(path))).toEqual([]);
    expect(files.filter((path) => /\.(test|smoke|conformance|faults)\.|testdata|\/test\//.test(path))).toEqual([]);
  });

  test("every entry point has a module and its types", () => {
    const missing: string[] = [];
    for (const path of ourFiles().filter((path) => path.endsWith("/package.json"))) {
      const { exports } = JSON.parse(readFileSync(join(installed, path), "utf8")) as {
        readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
      };
      const files = new Set(ourFiles());
      for (const target of Object.values(exports).flatMap((entry) => [entry.types, entry.default]))
        if (!files.has(join(path, "..", target))) missing.push(`${path}: ${target}`);
    }
    expect(missing).toEqual([]);
  });
});

describe("the command line", () => {
  test("it starts with the Node that its packages bring", async () => {
    const { version } = JSON.parse(readFileSync(join(root, "packages/cli/package.json"), "utf8")) as {
      readonly version: string;
    };
    expect((await succeeds(millwright, ["--version"], folder, env)).out).toBe(`Millwright v${version}\n`);
  });

  test("it finds that Node also where npm puts it beneath the package, as in a global installation", async () => {
    const cli = join(mkdtempSync(join(folder, "global-")), "lib/node_modules/@millwright/cli");
    for (const part of ["bin", "src"])
      cpSync(join(installed, "@millwright/cli", part), join(cli, part), { recursive: true });
    const pinned = `node-${process.platform}-${process.arch}`;
    mkdirSync(join(cli, "node_modules"));
    symlinkSync(join(installed, pinned), join(cli, "node_modules", pinned));
    const link = join(cli, "../../../../millwright");
    symlinkSync("lib/node_modules/@millwright/cli/bin/millwright", link);
    expect((await succeeds(link, ["--version"], folder, env)).out).toMatch(/^Millwright v/);
  });

  test("a folder is planned, applied and destroyed", async () => {
    const work = freshFolder({
      "main.tf": `
resource "terraform_data" "a" { input = upper("hello") }
output "said" { value = terraform_data.a.output }
`,
    });
    const { out } = await succeeds(millwright, ["plan", "-out=change.plan"], work, env);
    expect(out).toContain("1 to add, 0 to change, 0 to destroy");
    await succeeds(millwright, ["apply", "change.plan"], work, env);
    expect((await succeeds(millwright, ["output", "-raw", "said"], work, env)).out).toBe("HELLO");
    await succeeds(millwright, ["destroy", "-auto-approve"], work, env);
    expect((await succeeds(millwright, ["state", "list"], work, env)).out).toBe("");
  });

  test("a TypeScript stack is planned and applied", async () => {
    const stack = `import { output, resource } from "millwright";
const first = resource("terraform_data", "first", { input: "one" });
output("said", first.output);
`;
    const work = freshFolder({ "main.stack.ts": stack });
    await succeeds(millwright, ["apply", "-auto-approve"], work, env);
    expect((await succeeds(millwright, ["output", "-raw", "said"], work, env)).out).toBe("one");
  });

  test.each([["-dev"], ["-data-dir=data"]])("server %s keeps keys", async (args) => {
    const work = freshFolder({});
    const server = await startServerProcess(millwright, [args], { cwd: work, env });
    try {
      const there = { ...env, CONSUL_HTTP_ADDR: server.address };
      await succeeds(millwright, ["kv", "put", "a/b", "value"], work, there);
      expect((await succeeds(millwright, ["kv", "get", "a/b"], work, there)).out).toBe("value\n");
    } finally {
      await server.stop();
    }
  });
});

test("a provider written from the documentation compiles against the packages, and works", async () => {
  const page = readFileSync(join(root, "docs/providers.md"), "utf8");
  const example = /```ts\n([^]*?)```/.exec(page)![1]!;
  const use = `import { configureForTest, contractViolations } from "@millwright/provider/testing/contract";
import { notes } from "./notes.js";
const provider = notes(new Map()).start();
await configureForTest(provider);
const violations = await contractViolations(provider, {
  type: "notes_note",
  config: { title: "first" },
  changes: [{ title: "first", text: "longer" }],
});
process.stdout.write(JSON.stringify(violations));
`;
  const work = freshFolder({ "notes.ts": example, "use.ts": use });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const options = ["--strict", "--module", "nodenext", "--target", "es2024", "--lib", "es2024,esnext.disposable"];
  const types = ["--typeRoots", join(root, "node_modules/@types"), "--types", "node", "--outDir", "out"];
  await succeeds(process.execPath, [tsc, ...options, ...types, "notes.ts", "use.ts"], work);
  expect((await succeeds(process.execPath, ["out/use.js"], work)).out).toBe("[]");
});

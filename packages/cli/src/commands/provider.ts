import { existsSync } from "node:fs";
import { basename, relative, resolve } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { Load } from "@millwright/plugin/serve";
import { builtinProviders } from "@millwright/providers/registry";
import { describeFlags, type FlagTable, parseFlags } from "../flags.ts";
import type { CommandIo } from "../io.ts";
import { isHelp } from "../words.ts";
import type { BuiltProvider } from "./provider-build.ts";

const usage = `Usage: millwright provider serve FILE.ts|NAME [flags]
       millwright provider build FILE.ts -out=DIR [flags]

  serve runs a provider for the Terraform, OpenTofu or Millwright that starts
  it: one written in TypeScript, or one of this program by its name. build makes
  a program of it, in a folder laid out as a mirror of providers, which needs
  nothing but a Node 24.

      $ millwright provider build notes.provider.ts -out=mirror
      $ millwright provider serve notes.provider.ts -debug

`;

const serveFlags = {
  debug: {
    kind: "bool",
    help: "Runs beside hosts, until ^C, and prints what tells them where it is (TF_REATTACH_PROVIDERS).",
  },
  source: { kind: "string", help: "With -debug: the source that configurations use it by, where it is not its own." },
} as const satisfies FlagTable;

const buildFlags = {
  out: { kind: "string", value: "DIR", help: "The folder of the mirror. What else is in it stays." },
  platform: {
    kind: "strings",
    value: "OS_ARCH",
    help: "For which platforms (linux_amd64, darwin_arm64 …), once each; this machine's where none is given.",
  },
} as const satisfies FlagTable;

/** Carries out `millwright provider …`; resolves to the exit code. */
export async function runProvider(args: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args;
  if (name === "serve") return serve(rest, io);
  if (name === "build") return build(rest, io);
  if (name !== undefined && isHelp(name)) {
    await io.stdout(help());
    return 0;
  }
  await io.stderr(name === undefined ? help() : `There is no "provider ${name}". ${wordsNear(name)}\n`);
  return 1;
}

function wordsNear(name: string): string {
  const near = similar(name, ["serve", "build"]);
  return near ? `Did you mean "provider ${near}"?` : `There are "provider serve" and "provider build".`;
}

function help(): string {
  return `${usage}Flags of serve:\n\n${describeFlags(serveFlags)}\nFlags of build:\n\n${describeFlags(buildFlags)}`;
}

async function serve(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseFlags(serveFlags, args, "anywhere");
  if (parsed.kind === "help") {
    await io.stdout(help());
    return 0;
  }
  if (parsed.kind === "mistake") return refuse(io, [parsed.diagnostic]);
  const [target, ...more] = parsed.args;
  if (target === undefined || more.length > 0) return refuse(io, [oneArgument("serve")]);
  const found = find(target, io.cwd);
  if ("severity" in found) return refuse(io, [found]);
  const { serveAsProcess } = await import("millwright/provider-process");
  if (!parsed.values.debug) return leave(await serveAsProcess(found.load, { kind: "hosted" }));
  const source = parsed.values.source ?? (await found.source());
  return leave(await serveAsProcess(found.load, { kind: "debug", source }));
}

/** A host does not wait for what a provider still has open. */
function leave(code: number): never {
  process.exit(code);
}

interface Found {
  readonly load: Load;
  source(): Promise<string>;
}

/** What a person named: a file, or a provider of this program. */
function find(target: string, cwd: string): Found | Diagnostic {
  const builtin = builtinProviders.find(({ address }) => address === target || basename(address) === target);
  if (builtin) {
    return {
      load: async () => ({ value: { start: builtin.load }, diagnostics: [] }),
      source: async () => builtin.address,
    };
  }
  const file = resolve(cwd, target);
  if (!existsSync(file)) return nothingThere(target);
  const loaded = async () => (await import("millwright/provider-file")).loadProviderFile(file);
  return {
    load: async () => {
      const { value, diagnostics } = await loaded();
      return { value: hasErrors(diagnostics) ? undefined : value, diagnostics };
    },
    source: async () => {
      const { sourceOf } = await import("millwright/provider-source");
      const { value } = await loaded();
      return sourceOf(value ?? { name: basename(file).replace(/\..*/, "") });
    },
  };
}

function nothingThere(target: string): Diagnostic {
  const names = builtinProviders.map(({ address }) => basename(address));
  const near = similar(target, names);
  const hint = near ? ` Did you mean ${near}?` : "";
  const detail = `There is no file ${JSON.stringify(target)}, and no provider of that name in this program: it has ${names.join(", ")}.${hint}`;
  return errorDiagnostic("No provider to serve", detail);
}

async function build(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseFlags(buildFlags, args, "anywhere");
  if (parsed.kind === "help") {
    await io.stdout(help());
    return 0;
  }
  if (parsed.kind === "mistake") return refuse(io, [parsed.diagnostic]);
  const [target, ...more] = parsed.args;
  if (target === undefined || more.length > 0) return refuse(io, [oneArgument("build")]);
  const { out, platform } = parsed.values;
  if (out === undefined) return refuse(io, [errorDiagnostic("No folder to write to", "Say where: -out=DIR.")]);
  const file = resolve(io.cwd, target);
  if (!existsSync(file)) return refuse(io, [errorDiagnostic("No such file", `There is no file ${target}.`)]);
  const { buildProvider } = await import("./provider-build.ts");
  const mirror = resolve(io.cwd, out);
  const { value: built, diagnostics } = await buildProvider({ file, out: mirror, platforms: platform });
  if (!built) return refuse(io, diagnostics);
  await io.stdout(told(built, mirror, io.cwd));
  return 0;
}

function told({ source, programs }: BuiltProvider, out: string, cwd: string): string {
  const lines = programs.map((program) => `  ${relative(cwd, program)}\n`);
  return `Made:\n${lines.join("")}
Where Terraform or OpenTofu is to take it from there, their configuration says:

  provider_installation {
    filesystem_mirror {
      path    = ${JSON.stringify(out)}
      include = [${JSON.stringify(source)}]
    }
    direct {
      exclude = [${JSON.stringify(source)}]
    }
  }
`;
}

function oneArgument(command: string): Diagnostic {
  return errorDiagnostic("One provider is needed", `Name its file: millwright provider ${command} notes.provider.ts`);
}

async function refuse(io: CommandIo, diagnostics: readonly Diagnostic[]): Promise<number> {
  const { renderDiagnostics, sourcesIn } = await import("../views/diagnostics.ts");
  await io.stderr(renderDiagnostics(diagnostics, io.view, sourcesIn(io.cwd), false));
  return 1;
}

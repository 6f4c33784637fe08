import { resolve } from "node:path";
import { readRecord } from "@millwright/engine/instances/record";
import type { OutputState } from "@millwright/engine/state";
import { toPlain } from "@millwright/value/json";
import { typeToPlain } from "@millwright/value/type-json";
import type { CommandIo } from "../io.ts";
import { runCommand } from "../terraform/command.ts";
import { viewFlags } from "../terraform/options.ts";
import type { CommandStyle, Session } from "../terraform/session.ts";
import { renderOutputs } from "../views/outputs.ts";
import { styleOf } from "../views/style.ts";
import { KnownStates } from "./known-states.ts";
import { loadListing } from "./listing.ts";
import { asksForHelp } from "./main.ts";
import { sectionLine } from "./render.ts";
import { jsonLines } from "../views/json-lines.ts";
import { badInstanceWhy, whyInstanceFlags } from "./why.ts";
import { whyOfNoPlan } from "../terraform/why.ts";

/** Prepares the folder of each template that the list uses, as `init` does there. */
export async function runInitInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  const { runInit } = await import("../terraform/init.ts");
  if (asksForHelp(args)) return runInit(args, io, style);
  const { Session } = await import("../terraform/session.ts");
  const session = new Session(io, style, io.cwd, { noColor: args.includes("-no-color"), compactWarnings: false });
  return session.guard(async () => {
    const { list, diagnostics } = await loadListing(session);
    if (!(await session.report(diagnostics))) return 1;
    const templates = new Set([...list.instances.values()].map(({ template }) => template));
    let code = 0;
    const json = args.some((arg) => /^--?json(=true)?$/.test(arg)) ? jsonLines(io) : undefined;
    for (const template of templates) {
      if (json) json.log(`Template ${template}`);
      else await io.stdout(`${styleOf(session.view).bold(`Template ${template}`)}\n`);
      code = Math.max(code, await runInit(args, { ...io, cwd: resolve(io.cwd, template) }, style));
    }
    return code;
  });
}

/** Prints the outputs of all instances. */
export function runOutputInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { json: viewFlags.json, "no-color": viewFlags["no-color"] },
      usage: "output [flags]",
      about: "Prints the outputs of all instances; with -instance=NAME those of one, or one of them by its name.",
      example: "output -instance=network -raw vpc_id",
      arguments: [0, 0],
      run: async ({ session, values }) => {
        const found = await outputsOfAll(session);
        if (!found) return 1;
        if (values.json) {
          const plain = [...found].map(([name, outputs]) => [name, plainOf(outputs)] as const);
          await io.stdout(`${JSON.stringify(Object.fromEntries(plain), null, 2)}\n`);
          return 0;
        }
        const parts = [...found].map(
          ([name, outputs]) =>
            `${sectionLine(name, session.view)}${outputs.size > 0 ? renderOutputs(outputs) : "(no outputs)\n"}`,
        );
        await io.stdout(parts.join("\n"));
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function plainOf(outputs: ReadonlyMap<string, OutputState>): unknown {
  return Object.fromEntries(
    [...outputs].map(([name, { value, sensitive }]) => [
      name,
      { sensitive, type: typeToPlain(value.type), value: toPlain(value, value.type) },
    ]),
  );
}

async function outputsOfAll(
  session: Session,
): Promise<ReadonlyMap<string, ReadonlyMap<string, OutputState>> | undefined> {
  const { list, names, diagnostics } = await loadListing(session);
  if (!(await session.report(diagnostics))) return undefined;
  const states = new KnownStates(session, names);
  const found = new Map<string, ReadonlyMap<string, OutputState>>();
  for (const name of list.instances.keys()) {
    const state = await states.state(name);
    if (!state) return undefined;
    found.set(name, state.kept.current.state.outputs);
  }
  return found;
}

/** Lists the instances with what each has; a saved plan of instances is shown as `plan` showed it. */
export function runShowInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { json: viewFlags.json, "no-color": viewFlags["no-color"], ...whyInstanceFlags },
      usage: "show [flags] [PLAN]",
      about:
        "Lists the instances of this folder with how many objects each has; with a saved plan, shows that. With -instance=NAME shows the state of one.",
      example: "show -instance=network",
      arguments: [0, 1],
      run: async ({ session, values, args: [path] }) => {
        const wrong = badInstanceWhy(values.why, []) ?? (path === undefined && values.why[0] ? whyOfNoPlan : undefined);
        if (wrong) {
          await session.report([wrong]);
          return 1;
        }
        if (path !== undefined) return (await import("./show-saved.ts")).showSavedPlans(session, path, values);
        const { list, names, diagnostics } = await loadListing(session);
        if (!(await session.report(diagnostics))) return 1;
        const states = new KnownStates(session, names);
        const rows: {
          readonly name: string;
          readonly template: string;
          readonly objects: number;
          readonly applied: boolean;
        }[] = [];
        for (const { name, template } of list.instances.values()) {
          const state = await states.state(name);
          if (!state) return 1;
          let objects = 0;
          for (const { address, instances } of state.kept.current.state.resources.values())
            if (address.mode === "managed") objects += instances.size;
          rows.push({ name, template, objects, applied: readRecord(session.folder, name) !== undefined });
        }
        await io.stdout(values.json ? `${JSON.stringify({ instances: rows }, null, 2)}\n` : table(rows));
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

function table(
  rows: readonly {
    readonly name: string;
    readonly template: string;
    readonly objects: number;
    readonly applied: boolean;
  }[],
): string {
  const all = [
    ["Instance", "Template", "Objects"],
    ...rows.map(({ name, template, objects, applied }) => [
      name,
      template,
      applied ? String(objects) : "not applied yet",
    ]),
  ];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column]!.length)));
  return all.map(([a, b, c]) => `${a!.padEnd(widths[0]!)}  ${b!.padEnd(widths[1]!)}  ${c}\n`).join("");
}

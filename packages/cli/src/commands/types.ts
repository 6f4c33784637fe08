import { messageOf } from "@millwright/core/errors";
import type { ProviderSchema } from "@millwright/provider/schema";
import { builtinProviders } from "@millwright/providers/registry";
import type { TemplateShape } from "millwright/template-types";
import { writeTypes } from "millwright/types";
import { describeFlags, type FlagTable } from "../flags.ts";
import { listsInstances } from "../instances/list-folder.ts";
import type { CommandIo } from "../io.ts";
import { renderDiagnostic } from "../views/diagnostics.ts";
import { readLine } from "../terraform/read-line.ts";

const flags = {} as const satisfies FlagTable;

/** `millwright types`: writes the types of "millwright" and of the providers' resources, so that an editor helps with stacks. */
export async function runTypes(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = await readLine(flags, args, io, () => help());
  if (typeof parsed === "number") return parsed;
  if (parsed.args.length > 0) {
    const detail = `types takes no arguments, and was given ${parsed.args.join(" ")}. It writes the types of the folder it is run in.`;
    await io.stderr(
      renderDiagnostic({ severity: "error", summary: "Too many command line arguments", detail }, io.view),
    );
    return 1;
  }
  const schemas = await schemasOfAll();
  try {
    const templates = await templatesOf(io);
    const { files, ownSettings } = writeTypes(io.cwd, schemas, templates);
    await io.stdout(
      `Wrote the types of ${[...schemas.keys()].join(", ")}:\n${files.map((file) => `  ${file}\n`).join("")}`,
    );
    if (ownSettings)
      await io.stdout(
        `\nThis folder has a tsconfig.json of its own. Let it begin with\n  "extends": "./.millwright/types/tsconfig.json"\nand include ".millwright/types/*.d.ts", so that editors find the types.\n`,
      );
    return 0;
  } catch (error) {
    const detail = `The types cannot be written into ${io.cwd}: ${messageOf(error)}.`;
    await io.stderr(renderDiagnostic({ severity: "error", summary: "Types not written", detail }, io.view));
    return 1;
  }
}

/** The templates of a folder that lists instances. */
async function templatesOf(io: CommandIo): Promise<ReadonlyMap<string, TemplateShape>> {
  if (!listsInstances(io.cwd)) return new Map();
  const { Session } = await import("../terraform/session.ts");
  const { templateShapes } = await import("../instances/template-shapes.ts");
  return templateShapes(new Session(io, "millwright", io.cwd, { noColor: false, compactWarnings: false }));
}

async function schemasOfAll(): Promise<ReadonlyMap<string, ProviderSchema>> {
  const schemas = new Map<string, ProviderSchema>();
  for (const { address, load } of builtinProviders) {
    const provider = await load();
    try {
      const schema = await provider.schema();
      schemas.set(address.slice(address.lastIndexOf("/") + 1), schema);
    } finally {
      await provider.close();
    }
  }
  return schemas;
}

function help(): string {
  return `Usage: millwright types

Writes the types of "millwright" and of the providers' resources into
.millwright/types, and a tsconfig.json that finds them where there is none, so
that an editor completes and checks *.stack.ts files with nothing installed. In
a folder that lists instances, the inputs and outputs of templates are written
too.

Example: millwright types

${describeFlags(flags)}`;
}

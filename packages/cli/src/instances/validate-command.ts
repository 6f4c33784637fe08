import type { Diagnostic } from "@millwright/core/diagnostics";
import { hasErrors } from "@millwright/core/diagnostics";
import { evaluateInputs } from "@millwright/engine/instances/evaluate";
import { collectVariables } from "@millwright/engine/variables";
import { unknownValue, type Value, dynamicValue } from "@millwright/value/value";
import type { CommandIo } from "../io.ts";
import { runCommand } from "../terraform/command.ts";
import { loadFolder } from "../terraform/folder.ts";
import { inList, type InstanceScope } from "../terraform/instance-scope.ts";
import { viewFlags } from "../terraform/options.ts";
import type { CommandStyle, Session } from "../terraform/session.ts";
import { checkFolder, validationReport } from "../terraform/validate.ts";
import { styleOf } from "../views/style.ts";
import { instanceSession } from "./instance-session.ts";
import { type Listing, loadListing } from "./listing.ts";
import { listValues } from "./list-values.ts";
import { readTemplates } from "./templates.ts";

/** Checks the list of instances, its inputs against the templates, and each template. */
export function runValidateInstances(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: { json: viewFlags.json, "no-color": viewFlags["no-color"] },
      usage: "validate [flags]",
      about:
        "Checks the instances that this folder lists: their names, inputs and references, and each template for itself. Looks at no state and no remote system.",
      example: "validate -json",
      arguments: [0, 0],
      run: async ({ session, values }) => {
        const found = await check(session);
        if (values.json) {
          await io.stdout(`${JSON.stringify(validationReport(found, session.sources), null, 2)}\n`);
          return hasErrors(found) ? 1 : 0;
        }
        if (!(await session.report(found))) return 1;
        const bold = styleOf(session.view);
        await io.stdout(`${bold.green(bold.bold("Success!"))} The list of instances and its templates are valid.\n\n`);
        return 0;
      },
    },
    args,
    io,
    style,
  );
}

async function check(session: Session): Promise<Diagnostic[]> {
  const listing = await loadListing(session);
  const found: Diagnostic[] = [...listing.diagnostics];
  if (hasErrors(found)) return found;
  const { modules, diagnostics } = await readTemplates(session, listing);
  found.push(...diagnostics);
  if (hasErrors(found)) return found;
  const checked = new Set<string>();
  for (const instance of listing.list.instances.values()) {
    const { name, template } = instance;
    const module = modules.get(name);
    const inside = instanceSession(session, {
      name,
      template,
      inputs: inputsOf(session, listing, name),
      listFiles: listing.names,
    });
    const scope = inside.instance;
    if (!module || !scope) continue;
    const unsuitable = collectVariables(module, scope.inputs).diagnostics;
    found.push(...unsuitable.map((each) => inList(scope, each)));
    if (checked.has(template)) continue;
    checked.add(template);
    const folder = await loadFolder(inside);
    found.push(...(await checkFolder(inside, folder)).map((each) => ofTemplate(scope, each)));
  }
  return found;
}

// What is wrong with a template is so for all of its instances.
function ofTemplate(scope: InstanceScope, diagnostic: Diagnostic): Diagnostic {
  const { address: _, ...located } = inList(scope, diagnostic);
  return diagnostic.address === undefined ? located : { ...located, address: diagnostic.address };
}

function inputsOf(session: Session, { list }: Listing, name: string) {
  const final = new Map<string, Value>();
  for (const variable of list.variables.values()) final.set(variable.name, unknownValue(variable.type));
  const variables = { given: final, final, from: new Map<string, string>() };
  const values = listValues({ session, list, variables, applying: false, outputs: () => dynamicValue });
  return evaluateInputs(list, list.instances.get(name)!, values).value;
}

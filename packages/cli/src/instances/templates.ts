import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Module } from "@millwright/engine/configuration";
import { checkTemplates } from "@millwright/engine/instances/check";
import type { ListedInstance } from "@millwright/engine/instances/list";
import { hasConfiguration, loadFolder } from "../terraform/folder.ts";
import type { Session } from "../terraform/session.ts";
import { instanceSession } from "./instance-session.ts";
import { listsInstances } from "./list-folder.ts";
import type { Listing } from "./listing.ts";

export interface Templates {
  /** The root module of the template of each instance whose template could be read. */
  readonly modules: ReadonlyMap<string, Module>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads the templates of a list, each once, and checks the list's inputs and references against them. */
export async function readTemplates(session: Session, { list, names }: Listing): Promise<Templates> {
  const diagnostics: Diagnostic[] = [];
  const read = new Map<string, Module>();
  const modules = new Map<string, Module>();
  for (const instance of list.instances.values()) {
    const { name, template } = instance;
    const why = notATemplate(session, instance);
    if (why) diagnostics.push(why);
    else {
      let module = read.get(template);
      // What is wrong inside of a template is told with each plan of it, where its inputs are known too.
      if (!module) {
        const inside = instanceSession(session, { name, template, inputs: [], listFiles: names });
        module = (await loadFolder(inside)).configuration.root;
      }
      read.set(template, module);
      modules.set(name, module);
    }
  }
  return { modules, diagnostics: [...diagnostics, ...checkTemplates(list, modules)] };
}

function notATemplate(session: Session, { template, templateRange: subject }: ListedInstance): Diagnostic | undefined {
  const folder = resolve(session.folder, template);
  const refuse = (detail: string) => errorDiagnostic("Template not found", detail, { subject });
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    return refuse(`There is no folder ${template}: templates are looked for from ${session.folder}.`);
  if (listsInstances(folder))
    return refuse(
      `The folder ${template} lists instances itself, and a list cannot be inside a list. Name the template that it uses.`,
    );
  if (hasConfiguration(folder)) return undefined;
  return refuse(`The folder ${template} holds no .tf, .tf.json or .stack.ts file, so it is no template.`);
}

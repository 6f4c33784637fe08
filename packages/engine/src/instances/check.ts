import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { Expression } from "@millwright/hcl/ast";
import { referencesIn } from "@millwright/hcl/references";
import { rangeOf } from "@millwright/hcl/source-file";
import type { Module } from "../configuration.ts";
import type { InstanceList, ListedInstance } from "./instance-list.ts";

/**
 * What a list says that its templates do not have: inputs that are no variables of the template, variables without a value,
 * outputs that the template of another instance does not declare. `templates` are root modules by the names of instances;
 * instances whose template could not be read are passed over.
 */
export function checkTemplates(list: InstanceList, templates: ReadonlyMap<string, Module>): Diagnostic[] {
  const found = [...list.instances.values()].flatMap((instance) => {
    const template = templates.get(instance.name);
    return template ? [...checkInputs(instance, template), ...missingInputs(instance, template)] : [];
  });
  const inputs = [...list.instances.values()].flatMap(({ inputs: all }) => [...all.values()]);
  const expressions = [...inputs, ...list.locals.values()].map(({ expression }) => expression);
  return [...found, ...expressions.flatMap((expression) => missingOutputs(expression, list, templates))];
}

function checkInputs(instance: ListedInstance, template: Module): Diagnostic[] {
  return [...instance.inputs].flatMap(([name, { nameRange }]) => {
    const variable = template.variables.get(name);
    if (variable?.ephemeral) return errorDiagnostic("Ephemeral input", ephemeralText(name), { subject: nameRange });
    if (variable) return [];
    const near = similar(name, template.variables.keys());
    const known = [...template.variables.keys()].join(", ");
    const hint = near ? ` Did you mean "${near}"?` : known === "" ? " It has none." : ` It has ${known}.`;
    const detail = `The template ${instance.template} has no variable "${name}".${hint}`;
    return errorDiagnostic("Unsupported argument", detail, { subject: nameRange });
  });
}

function ephemeralText(name: string): string {
  return `The variable "${name}" of the template is ephemeral, and what an instance is given is kept in saved plans and remembered beside its state. Let the template read the secret itself.`;
}

function missingInputs(instance: ListedInstance, template: Module): Diagnostic[] {
  return [...template.variables.values()]
    .filter((variable) => !variable.default && !instance.inputs.has(variable.name))
    .map(({ name }) => {
      const detail = `The template ${instance.template} needs a value for "${name}", and the instance "${instance.name}" gives none.`;
      return errorDiagnostic("Missing required argument", detail, { subject: instance.range });
    });
}

function missingOutputs(
  expression: Expression,
  list: InstanceList,
  templates: ReadonlyMap<string, Module>,
): Diagnostic[] {
  return referencesIn(expression).flatMap((traversal) => {
    const [instance, output] = traversal.steps;
    if (traversal.root.name !== "instance" || instance?.kind !== "attribute" || output?.kind !== "attribute") return [];
    const listed = list.instances.get(instance.name);
    const template = templates.get(instance.name);
    if (!listed || !template || template.outputs.has(output.name)) return [];
    const near = similar(output.name, template.outputs.keys());
    const known = [...template.outputs.keys()].join(", ");
    const hint = near ? ` Did you mean "${near}"?` : known === "" ? " It has none." : ` It has ${known}.`;
    const detail = `The template ${listed.template} of the instance "${instance.name}" has no output "${output.name}".${hint}`;
    return errorDiagnostic("Unknown output", detail, { subject: rangeOf(traversal) });
  });
}

import { posix } from "node:path";
import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { SourceRange } from "@millwright/core/source";
import type { Attribute, Block, Expression, ScopeTraversal } from "@millwright/hcl/ast";
import { justAttributes, partialContentOf } from "@millwright/hcl/body-content";
import { parseFile } from "@millwright/hcl/parse";
import { referencesIn } from "@millwright/hcl/references";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import type { Local } from "../configuration.ts";
import { cyclesOf, GraphBuilder } from "../graph.ts";
import { Constants } from "../load/constants.ts";
import type { Contribution } from "../load/load.ts";
import { decodeModule } from "../load/module.ts";
import { validName } from "../load/variable.ts";
import type { Files } from "../ports.ts";
import type { InstanceInput, InstanceList, ListedInstance } from "./instance-list.ts";
import { isInstanceListName } from "./instance-list.ts";

/**
 * Reads the instances that a folder lists in `*.instances.hcl`, and those of a contribution (`*.instances.ts`). Everything
 * wrong with names, references and order is found here, with its place.
 */
export function loadInstances(files: Files, contribution?: Contribution): Diagnosed<InstanceList> {
  const reader = new ListReader();
  for (const name of files.list(".") ?? []) {
    const bytes = isInstanceListName(name) && name.endsWith(".hcl") ? files.read(name) : undefined;
    if (!bytes) continue;
    const parsed = parseFile(sourceFile(name, bytes));
    reader.diagnostics.push(...parsed.diagnostics);
    for (const attribute of parsed.value.attributes.values()) reader.refuseAttribute(attribute);
    for (const block of parsed.value.blocks) reader.read(block);
  }
  for (const block of contribution?.blocks ?? []) reader.read(block);
  const { value, diagnostics } = reader.finish();
  const functions = contribution?.functions;
  return { value: functions ? { ...value, functions } : value, diagnostics };
}

interface ReadInstance extends Omit<ListedInstance, "dependencies"> {
  readonly dependsOn: readonly ScopeTraversal[];
}

class ListReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #constants = new Constants(this.diagnostics);
  readonly #instances = new Map<string, ReadInstance>();
  readonly #others: Block[] = [];

  read(block: Block): void {
    if (block.type === "variable" || block.type === "locals") this.#others.push(block);
    else if (block.type === "instance") this.#instance(block);
    else this.#refuseBlock(block);
  }

  refuseAttribute({ name, nameNode }: Attribute): void {
    const detail = `An argument named "${name}" is not expected here: a list of instances holds blocks of the types instance, variable and locals.`;
    this.diagnostics.push(errorDiagnostic("Unsupported argument", detail, { subject: rangeOf(nameNode) }));
  }

  #refuseBlock(block: Block): void {
    const near = similar(block.type, ["instance", "variable", "locals"]);
    const hint = near
      ? ` Did you mean "${near}"?`
      : " What is to be made belongs into a template, a folder that an instance names.";
    const detail = `A list of instances holds blocks of the types instance, variable and locals, and this one is of type "${block.type}".${hint}`;
    this.diagnostics.push(
      errorDiagnostic("Unsupported block type", detail, {
        subject: rangeOf(block.typeNode),
        context: rangeOf(block.header),
      }),
    );
  }

  #instance(block: Block): void {
    const [name, extra] = block.labels;
    const subject = rangeOf(block.labelNodes[0] ?? block.header);
    if (name === undefined || extra !== undefined)
      return this.#refuse("Name of an instance", "An instance has one label, its name.", rangeOf(block.header));
    if (!validName(name)) {
      const detail = `"${name}" is no name for an instance: it starts with a letter or underscore, and holds only letters, digits, underscores and dashes.`;
      return this.#refuse("Invalid instance name", detail, subject);
    }
    const known = this.#instances.get(name);
    if (known) {
      const { filename, start } = known.range;
      const detail = `An instance named "${name}" is listed at ${filename}:${start.line},${start.column} already. The name is that of its state, so it must be unique: rename one of the two.`;
      return this.#refuse("Duplicate instance", detail, subject);
    }
    this.#instances.set(name, this.#decode(name, block));
  }

  #decode(name: string, block: Block): ReadInstance {
    const wanted = ["source", "depends_on", ...notForInstances];
    const { value, diagnostics } = partialContentOf(block.body, {
      attributes: wanted.map((each) => ({ name: each, required: each === "source" })),
      blocks: [],
    });
    this.diagnostics.push(...diagnostics);
    const { attributes } = value.content;
    for (const other of notForInstances) {
      const attribute = attributes.get(other);
      if (attribute) this.#refuse("Unsupported argument", noRepetition(other), rangeOf(attribute.nameNode));
    }
    const inputs = justAttributes(value.rest);
    this.diagnostics.push(...inputs.diagnostics);
    const source = attributes.get("source");
    const templateRange = rangeOf(source?.expression ?? block.header);
    return {
      name,
      template: this.#template(this.#constants.text(source), templateRange),
      templateRange,
      inputs: new Map([...inputs.value].map(([input, attribute]) => [input, inputOf(attribute)])),
      dependsOn: this.#constants.traversals(attributes.get("depends_on")),
      range: rangeOf(block.header),
    };
  }

  #template(source: string | undefined, subject: SourceRange): string {
    if (source === undefined) return ".";
    if (!/^\.{1,2}(\/|$)/.test(source)) {
      const detail = `The template of an instance is a folder, by a path from here that begins with "./" or "../", and this is "${source}". What a registry or repository has is called from such a folder as a module.`;
      this.#refuse("Template is no folder", detail, subject);
      return ".";
    }
    const folder = posix.normalize(source).replace(/(?<=.)\/$/, "");
    if (folder === ".")
      this.#refuse(
        "Template is the list itself",
        "A folder that lists instances is no template. Name another folder.",
        subject,
      );
    return folder;
  }

  #refuse(summary: string, detail: string, subject: SourceRange): void {
    this.diagnostics.push(errorDiagnostic(summary, detail, { subject }));
  }

  finish(): Diagnosed<InstanceList> {
    const declared = decodeModule(this.#others, ".");
    this.diagnostics.push(...declared.diagnostics);
    const module = { path: "", names: [], folder: ".", ...declared.value };
    const { variables, locals } = module;
    for (const variable of variables.values())
      if (variable.ephemeral) this.#refuse("Ephemeral variable", noEphemerals, variable.range);
    const names = new Names(new Set(this.#instances.keys()), variables, locals, this.diagnostics);
    for (const local of locals.values()) names.check(local.expression);
    const instances = new Map<string, ListedInstance>();
    for (const { dependsOn, ...instance } of this.#instances.values())
      instances.set(instance.name, { ...instance, dependencies: names.dependencies(instance, dependsOn) });
    this.#refuseCycles(instances);
    this.#refuseLocalCycles(locals);
    return { value: { instances, variables, locals, module }, diagnostics: this.diagnostics };
  }

  #refuseLocalCycles(locals: ReadonlyMap<string, Local>): void {
    const builder = new GraphBuilder<Local>();
    for (const local of locals.values()) {
      builder.add(local.name, local);
      for (const { root, steps } of referencesIn(local.expression))
        if (root.name === "local" && steps[0]?.kind === "attribute") builder.depend(local.name, steps[0].name);
    }
    for (const cycle of cyclesOf(builder.build())) {
      const way = [...cycle, cycle[0]].map((name) => `local.${name}`).join(" → ");
      this.#refuse(
        "Cycle of local values",
        `These local values each need the next: ${way}.`,
        locals.get(cycle[0]!)!.range,
      );
    }
  }

  #refuseCycles(instances: ReadonlyMap<string, ListedInstance>): void {
    const builder = new GraphBuilder<ListedInstance>();
    for (const [name, instance] of instances) {
      builder.add(name, instance);
      for (const to of instance.dependencies) builder.depend(name, to);
    }
    for (const cycle of cyclesOf(builder.build())) {
      const way = [...cycle, cycle[0]].join(" → ");
      const detail =
        cycle.length === 1
          ? `The instance "${cycle[0]}" uses its own outputs, which are there only once it has been made.`
          : `These instances each need an output of the next: ${way}. None of them could be the first. Break the circle by an input that does not come from one of them.`;
      this.#refuse("Cycle of instances", detail, instances.get(cycle[0]!)!.range);
    }
  }
}

const notForInstances = ["count", "for_each", "providers", "version", "lifecycle"];

const noEphemerals =
  "The variables of a list of instances go into plans that are saved and into inputs that are remembered, so they cannot be ephemeral. Give the secret to the template by a data source or an ephemeral resource instead.";

function noRepetition(name: string): string {
  return name === "count" || name === "for_each"
    ? `An instance has a name and a state of its own, so "${name}" is not for it. List each one; a file *.instances.ts may do that in a loop.`
    : `"${name}" is not for an instance: its template is a folder that stands for itself.`;
}

function inputOf({ expression, nameNode }: Attribute): InstanceInput {
  return { expression, nameRange: rangeOf(nameNode) };
}

/** Checks what expressions of a list refer to, and tells which instances they need. */
class Names {
  readonly #instances: ReadonlySet<string>;
  readonly #variables: ReadonlyMap<string, unknown>;
  readonly #locals: ReadonlyMap<string, Local>;
  readonly #diagnostics: Diagnostic[];

  constructor(
    instances: ReadonlySet<string>,
    variables: ReadonlyMap<string, unknown>,
    locals: ReadonlyMap<string, Local>,
    diagnostics: Diagnostic[],
  ) {
    this.#instances = instances;
    this.#variables = variables;
    this.#locals = locals;
    this.#diagnostics = diagnostics;
  }

  dependencies({ inputs }: Pick<ListedInstance, "inputs">, dependsOn: readonly ScopeTraversal[]): ReadonlySet<string> {
    const found = new Set<string>();
    for (const { expression } of inputs.values()) {
      this.check(expression);
      for (const name of this.#needed(expression, new Set())) found.add(name);
    }
    for (const traversal of dependsOn) {
      const name = nameIn(traversal);
      if (traversal.root.name !== "instance" || name === undefined) this.#refuse(traversal, dependsOnText);
      else if (this.#known(traversal, "instance", name, this.#instances)) found.add(name);
    }
    return found;
  }

  /** Reports what an expression refers to and is not there. */
  check(expression: Expression): void {
    for (const traversal of referencesIn(expression)) {
      const root = traversal.root.name;
      const name = nameIn(traversal);
      const tables = { instance: this.#instances, var: this.#variables, local: this.#locals };
      if (root !== "instance" && root !== "var" && root !== "local") {
        this.#refuse(
          traversal,
          `A list of instances knows its variables (var.NAME), its locals (local.NAME) and the outputs of instances (instance.NAME.OUTPUT), and no "${root}".`,
        );
      } else if (name === undefined) {
        this.#refuse(traversal, `The "${root}" object cannot be used as a whole. Name one of its parts.`);
      } else this.#known(traversal, root, name, tables[root]);
    }
  }

  #needed(expression: Expression, seen: Set<string>): string[] {
    return referencesIn(expression).flatMap((traversal) => {
      const name = nameIn(traversal);
      if (name === undefined) return [];
      if (traversal.root.name === "instance") return this.#instances.has(name) ? [name] : [];
      const local = traversal.root.name === "local" && !seen.has(name) ? this.#locals.get(name) : undefined;
      if (!local) return [];
      seen.add(name);
      return this.#needed(local.expression, seen);
    });
  }

  #known(
    traversal: ScopeTraversal,
    root: string,
    name: string,
    table: { has(name: string): boolean; keys(): Iterable<string> },
  ): boolean {
    if (table.has(name)) return true;
    const what = root === "instance" ? "instance" : root === "var" ? "variable" : "local value";
    const near = similar(name, table.keys());
    this.#refuse(traversal, `There is no ${what} named "${name}" here.${near ? ` Did you mean "${near}"?` : ""}`);
    return false;
  }

  #refuse(traversal: ScopeTraversal, detail: string): void {
    this.#diagnostics.push(errorDiagnostic("Invalid reference", detail, { subject: rangeOf(traversal) }));
  }
}

const dependsOnText = "depends_on names instances, such as [instance.network].";

function nameIn({ steps: [step] }: ScopeTraversal): string | undefined {
  return step?.kind === "attribute" ? step.name : undefined;
}

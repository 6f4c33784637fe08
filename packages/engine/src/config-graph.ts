import type { ScopeTraversal } from "@millwright/hcl/ast";
import type { ProviderConfigAddress } from "./addresses.ts";
import { provisionersFor, referencesOfProvisioner } from "./provision/blocks.ts";
import { resourceText } from "./addresses.ts";
import type { ImportBlock } from "./refactor/blocks.ts";
import type {
  CheckBlock,
  CheckRule,
  Configuration,
  Local,
  Module,
  ModuleCall,
  Output,
  Repetition,
  Resource,
  Variable,
} from "./configuration.ts";
import { childPath } from "./configuration.ts";
import type { Graph } from "./graph.ts";
import { GraphBuilder } from "./graph.ts";
import type { ResolvedProvider } from "./provider-config.ts";
import { providerOfResource, resolveProvider } from "./provider-config.ts";
import type { ParsedReference } from "./references.ts";
import { parseReference, referencesOf, referencesOfBody } from "./references.ts";

/** Something a configuration declares, once for all its instances. */
export type ConfigNode =
  | { readonly kind: "variable"; readonly module: Module; readonly variable: Variable }
  | { readonly kind: "local"; readonly module: Module; readonly local: Local }
  | { readonly kind: "output"; readonly module: Module; readonly output: Output }
  /** Finds out which instances a called module has; everything in that module comes after it. */
  | { readonly kind: "call"; readonly module: Module; readonly call: ModuleCall }
  | { readonly kind: "check"; readonly module: Module; readonly check: CheckBlock }
  /** Comes after everything in a called module. */
  | { readonly kind: "close"; readonly module: Module }
  | {
      readonly kind: "resource";
      readonly module: Module;
      readonly resource: Resource;
      readonly provider: ProviderConfigAddress;
      /** Which instance of that configuration, where it has several. */
      readonly providerKey?: NonNullable<ResolvedProvider["key"]>;
    }
  | { readonly kind: "provider"; readonly provider: ResolvedProvider };

/** The order that references and `depends_on` make among all that a configuration declares. */
export function configGraph(configuration: Configuration): Graph<ConfigNode> {
  const builder = new GraphBuilder<ConfigNode>();
  for (const module of configuration.modules.values()) new ModuleNodes(configuration, module, builder).add();
  return builder.build();
}

/** Ids of nodes, by what they stand for. */
export const nodeId = {
  variable: (module: Module, name: string) => `${prefix(module)}var.${name}`,
  local: (module: Module, name: string) => `${prefix(module)}local.${name}`,
  output: (module: Module, name: string) => `${prefix(module)}output.${name}`,
  call: (module: Module, name: string) => `${prefix(module)}module.${name} (expand)`,
  check: (module: Module, name: string) => `${prefix(module)}check.${name}`,
  close: (path: string) => `${path} (close)`,
  resource: (module: Module, resource: Resource) => `${prefix(module)}${resourceText(resource.address)}`,
} as const;

function prefix(module: Module): string {
  return module.path === "" ? "" : `${module.path}.`;
}

class ModuleNodes {
  readonly #configuration: Configuration;
  readonly #module: Module;
  readonly #builder: GraphBuilder<ConfigNode>;

  constructor(configuration: Configuration, module: Module, builder: GraphBuilder<ConfigNode>) {
    this.#configuration = configuration;
    this.#module = module;
    this.#builder = builder;
  }

  add(): void {
    const module = this.#module;
    for (const variable of module.variables.values()) this.#variable(variable);
    for (const local of module.locals.values()) {
      const id = nodeId.local(module, local.name);
      this.#node(id, { kind: "local", module, local });
      this.#refer(id, referencesOf(local.expression));
    }
    for (const output of module.outputs.values()) {
      const id = nodeId.output(module, output.name);
      this.#node(id, { kind: "output", module, output });
      this.#refer(id, referencesOf(output.value));
      this.#conditions(id, output.preconditions);
      this.#dependsOn(id, output.dependsOn);
    }
    for (const call of module.calls.values()) this.#call(call);
    for (const resource of module.resources.values()) this.#resource(resource);
    for (const check of module.checks.values()) this.#check(check);
    if (module.path === "") for (const block of module.imports) this.#import(block);
    for (const block of module.providers.values()) {
      this.#provider(resolveProvider(this.#configuration, module, block.localName, block.alias));
    }
  }

  /** A node of a called module stands between that module's expansion and its end. */
  #node(id: string, node: ConfigNode): void {
    this.#builder.add(id, node);
    if (this.#module.path === "") return;
    this.#builder.depend(id, this.#expansion());
    this.#builder.depend(nodeId.close(this.#module.path), id);
  }

  #expansion(): string {
    return nodeId.call(this.#caller(), this.#module.names.at(-1)!);
  }

  #caller(): Module {
    const names = this.#module.names.slice(0, -1);
    return this.#configuration.modules.get(names.map((name) => `module.${name}`).join("."))!;
  }

  #variable(variable: Variable): void {
    const id = nodeId.variable(this.#module, variable.name);
    this.#node(id, { kind: "variable", module: this.#module, variable });
    this.#conditions(id, variable.validations);
    if (this.#module.path === "") return;
    const caller = this.#caller();
    const input = caller.calls.get(this.#module.names.at(-1)!)?.inputs.get(variable.name);
    if (input) this.#refer(id, referencesOf(input), caller);
  }

  #call(call: ModuleCall): void {
    const module = this.#module;
    const id = nodeId.call(module, call.name);
    this.#node(id, { kind: "call", module, call });
    this.#repetition(id, call.repetition);
    this.#dependsOn(id, call.dependsOn);
    const child = this.#configuration.modules.get(childPath(module, call.name));
    if (!child) return;
    const close = nodeId.close(child.path);
    this.#builder.add(close, { kind: "close", module: child });
    this.#builder.depend(close, id);
    if (module.path !== "") this.#builder.depend(nodeId.close(module.path), close);
  }

  #resource(resource: Resource): void {
    const module = this.#module;
    const id = nodeId.resource(module, resource);
    const provider = providerOfResource(this.#configuration, module, resource);
    const { address, key } = provider;
    const keyed = key ? { providerKey: key } : {};
    this.#node(id, { kind: "resource", module, resource, provider: address, ...keyed });
    if (key) this.#refer(id, referencesOf(key.expression), key.module);
    this.#provider(provider);
    this.#builder.depend(id, provider.address.text);
    this.#repetition(id, resource.repetition);
    this.#refer(id, referencesOfBody(resource.body));
    this.#dependsOn(id, resource.dependsOn);
    const { lifecycle } = resource;
    for (const trigger of lifecycle.replaceTriggeredBy) this.#refer(id, referencesOf(trigger));
    for (const block of provisionersFor(resource, "create")) this.#refer(id, referencesOfProvisioner(block));
    if (lifecycle.preventDestroy) this.#refer(id, referencesOf(lifecycle.preventDestroy));
    this.#conditions(id, lifecycle.preconditions);
    this.#conditions(id, lifecycle.postconditions);
  }

  // What a check sees is what is there when all else is done: its data source is read after everything.
  #check(check: CheckBlock): void {
    const module = this.#module;
    const id = nodeId.check(module, check.name);
    this.#node(id, { kind: "check", module, check });
    this.#conditions(id, check.asserts);
    const data = check.data && module.resources.get(resourceText(check.data));
    if (!data) return;
    const source = nodeId.resource(module, data);
    this.#builder.depend(id, source);
    for (const other of this.#configuration.modules.values())
      for (const resource of other.resources.values())
        if (resource.check === undefined) this.#builder.depend(source, nodeId.resource(other, resource));
  }

  #import({ to, by, forEach }: ImportBlock): void {
    const target = this.#configuration.modules.get(to.module)?.resources.get(resourceText(to.resource));
    if (!target) return;
    const id = nodeId.resource(this.#configuration.modules.get(to.module)!, target);
    const keys = to.steps.flatMap((step) => (step.kind === "expression" ? step.expression : []));
    for (const expression of [by.expression, ...(forEach ? [forEach] : []), ...keys])
      this.#refer(id, referencesOf(expression), this.#configuration.root);
  }

  #provider(provider: ResolvedProvider): void {
    const id = provider.address.text;
    if (this.#builder.has(id)) return;
    this.#builder.add(id, { kind: "provider", provider });
    if (provider.block) this.#refer(id, referencesOfBody(provider.block.body), provider.module);
  }

  #repetition(id: string, repetition: Repetition): void {
    if (repetition.kind !== "single") this.#refer(id, referencesOf(repetition.expression));
  }

  #conditions(id: string, rules: readonly CheckRule[]): void {
    for (const rule of rules) {
      // A rule may speak of the very object it belongs to, which is there by the time the rule is looked at.
      this.#refer(id, referencesOf(rule.condition), this.#module, id);
      this.#refer(id, referencesOf(rule.errorMessage), this.#module, id);
    }
  }

  #dependsOn(id: string, traversals: readonly ScopeTraversal[]): void {
    for (const traversal of traversals) {
      const parsed = parseReference(traversal);
      if (!parsed.ok) continue;
      const { subject } = parsed.reference;
      if (subject.kind === "module") this.#builder.depend(id, nodeId.close(childPath(this.#module, subject.name)));
      else this.#refer(id, [parsed]);
    }
  }

  #refer(id: string, references: readonly ParsedReference[], module: Module = this.#module, except?: string): void {
    for (const parsed of references) {
      if (!parsed.ok) continue;
      for (const target of targetsOf(this.#configuration, module, parsed)) {
        if (target !== except) this.#builder.depend(id, target);
      }
    }
  }
}

/** Ids of the provider configurations that something uses: others are not even evaluated. */
export function usedProviders(graph: Graph<{ readonly kind: string }>): ReadonlySet<string> {
  const used = new Set<string>();
  for (const [id, node] of graph.nodes) {
    if (node.kind === "provider") continue;
    for (const to of graph.dependencies.get(id) ?? []) if (graph.nodes.get(to)?.kind === "provider") used.add(to);
  }
  return used;
}

/** The nodes that a reference needs to have been visited. */
function targetsOf(configuration: Configuration, module: Module, parsed: ParsedReference): string[] {
  if (!parsed.ok) return [];
  const { subject } = parsed.reference;
  switch (subject.kind) {
    case "variable":
      return [nodeId.variable(module, subject.name)];
    case "local":
      return [nodeId.local(module, subject.name)];
    case "resource": {
      const resource = module.resources.get(resourceText(subject.address));
      return resource ? [nodeId.resource(module, resource)] : [];
    }
    case "module": {
      const child = configuration.modules.get(childPath(module, subject.name));
      const outputs = !child
        ? []
        : subject.output !== undefined && child.outputs.has(subject.output)
          ? [subject.output]
          : [...child.outputs.keys()];
      return [nodeId.call(module, subject.name), ...outputs.map((name) => nodeId.output(child!, name))];
    }
    default:
      return [];
  }
}

/**
 * For each resource node, the resource nodes that it comes after, directly or through variables, locals, outputs, calls and
 * the configuration of its provider; what lies behind another resource is that one's own. Ids of config resources.
 */
export function resourceDependencies(graph: Graph<ConfigNode>): ReadonlyMap<string, ReadonlySet<string>> {
  const memo = new Map<string, ReadonlySet<string>>();
  // What is kept nowhere cannot be waited for later: what it was made of can.
  const isResource = (id: string) => {
    const node = graph.nodes.get(id)!;
    return node.kind === "resource" && node.resource.address.mode !== "ephemeral";
  };
  const result = new Map<string, ReadonlySet<string>>();
  for (const id of graph.nodes.keys()) {
    if (!isResource(id)) continue;
    // Depth first with a stack of our own: chains of locals are as long as users make them.
    const stack = [id];
    while (stack.length > 0) {
      const at = stack.at(-1)!;
      const next = [...graph.dependencies.get(at)!];
      const missing = memo.has(at) ? [] : next.filter((to) => !isResource(to) && !memo.has(to));
      if (missing.length > 0) stack.push(...missing);
      else {
        stack.pop();
        if (!memo.has(at)) memo.set(at, new Set(next.flatMap((to) => (isResource(to) ? [to] : [...memo.get(to)!]))));
      }
    }
    result.set(id, memo.get(id)!);
  }
  return result;
}

import type { Body, Expression, TraversalStep } from "@millwright/hcl/ast";
import { evaluate } from "@millwright/hcl/evaluate";
import { emptyScope } from "@millwright/hcl/scope";
import { applyDefaults } from "@millwright/hcl/type-defaults";
import type { BlockSchema } from "@millwright/provider/schema";
import { convert } from "@millwright/value/convert";
import { asNumber, isNull, isWhollyKnown } from "@millwright/value/value";
import { constraintsText, parseProviderConstraints } from "@millwright/sources/provider-constraints";
import { type ProviderSource, providerSourceText, resourceText } from "../addresses.ts";
import type { Configuration, Module, ModuleCall, ProviderRequirement, Resource, Variable } from "../configuration.ts";
import { childPath } from "../configuration.ts";
import { providerOfResource, sourceOfLocalName } from "../provider-config.ts";
import type { ProviderPool } from "../provider-pool.ts";
import { referencesOf } from "../references.ts";
import { knownPlain } from "./values-json.ts";

type Plain = Readonly<Record<string, unknown>>;

/** The configuration part of the JSON plan format: what is declared, with each expression as its constant or its references. */
export function configurationJson(configuration: Configuration, pool: ProviderPool): Plain {
  const providers = new Map<string, Plain>();
  for (const module of configuration.modules.values()) {
    for (const resource of module.resources.values()) {
      const { address, block } = providerOfResource(configuration, module, resource);
      const owner = ownerOf(configuration, module, resource);
      const key = providerKey(owner, resource.provider?.localName ?? address.source.type, address.alias);
      const schema = pool.providerBlock(address.source);
      const plain = {
        name: address.source.type,
        full_name: providerSourceText(address.source),
        ...(address.alias === undefined ? {} : { alias: address.alias }),
        ...(owner === "" ? {} : { module_address: owner }),
        ...constraintOf(configuration.modules.get(owner), address.source),
        ...(block && schema ? expressionsOf(block.body, schema) : {}),
      };
      providers.set(key, plain);
    }
  }
  addUnused(configuration.root, pool, providers);
  return {
    ...(providers.size > 0 ? { provider_config: Object.fromEntries(providers) } : {}),
    root_module: moduleJson(configuration, configuration.root, pool),
  };
}

/** What the root module configures, or only asks for, and no resource uses. */
function addUnused({ providers, requiredProviders }: Module, pool: ProviderPool, found: Map<string, Plain>): void {
  for (const requirement of requiredProviders.values()) {
    const { localName, source } = requirement;
    const schema = pool.providerBlock(source);
    const blocks = [...providers.values()].filter((block) => block.localName === localName);
    for (const block of blocks.length > 0 ? blocks : [undefined]) {
      const key = providerKey("", localName, block?.alias);
      if (found.has(key)) continue;
      found.set(key, {
        name: source.type,
        full_name: providerSourceText(source),
        ...(block?.alias === undefined ? {} : { alias: block.alias }),
        ...versionConstraint(requirement),
        ...(block && schema ? expressionsOf(block.body, schema) : {}),
      });
    }
  }
}

/**
 * The module whose configuration of a provider serves a resource, by its path. One that nobody writes belongs to the first
 * module on the way to the resource that has something of that provider.
 */
function ownerOf(configuration: Configuration, module: Module, resource: Resource): string {
  const { address, block } = providerOfResource(configuration, module, resource);
  if (address.module !== "" || block || address.alias !== undefined) return address.module;
  const wanted = providerSourceText(address.source);
  for (let depth = 0; depth < module.names.length; depth++) {
    const path = module.names
      .slice(0, depth)
      .map((name) => `module.${name}`)
      .join(".");
    const above = configuration.modules.get(path);
    if (above && knows(configuration, above, wanted)) return path;
  }
  return module.path;
}

function knows(configuration: Configuration, module: Module, source: string): boolean {
  const required = [...module.requiredProviders.values()].some((one) => providerSourceText(one.source) === source);
  if (required) return true;
  const configured = [...module.providers.values()].some(
    ({ localName }) => providerSourceText(sourceOfLocalName(module, localName)) === source,
  );
  if (configured) return true;
  return [...module.resources.values()].some((resource) => {
    return providerSourceText(providerOfResource(configuration, module, resource).address.source) === source;
  });
}

function constraintOf(module: Module | undefined, source: ProviderSource): Plain {
  const text = providerSourceText(source);
  const requirement = [...(module?.requiredProviders.values() ?? [])].find(
    (one) => providerSourceText(one.source) === text,
  );
  return requirement ? versionConstraint(requirement) : {};
}

function versionConstraint({ versions }: ProviderRequirement): Plain {
  const constraints = parseProviderConstraints(versions.join(", "));
  return constraints && constraints.length > 0 ? { version_constraint: constraintsText(constraints) } : {};
}

function expressionsOf(body: Body, schema: BlockSchema): Plain {
  const expressions = bodyJson(body, schema);
  return Object.keys(expressions).length > 0 ? { expressions } : {};
}

function providerKey(module: string, name: string, alias: string | undefined): string {
  return `${module === "" ? "" : `${module}:`}${name}${alias === undefined ? "" : `.${alias}`}`;
}

function moduleJson(configuration: Configuration, module: Module, pool: ProviderPool): Plain {
  const outputs = [...module.outputs.values()].map((output) => {
    const plain = {
      ...(output.sensitive ? { sensitive: true } : {}),
      expression: expressionJson(output.value),
      ...(output.description === undefined ? {} : { description: output.description }),
      ...(output.dependsOn.length > 0
        ? { depends_on: output.dependsOn.map((t) => t.file.text.slice(t.start, t.end)) }
        : {}),
    };
    return [output.name, plain] as const;
  });
  const variables = [...module.variables.values()].map((variable) => {
    const plain = {
      ...defaultJson(variable),
      ...(variable.description === undefined ? {} : { description: variable.description }),
      ...(variable.sensitive ? { sensitive: true } : {}),
    };
    return [variable.name, plain] as const;
  });
  const calls = [...module.calls.values()].map(
    (call) => [call.name, callJson(configuration, module, call, pool)] as const,
  );
  const resources = [...module.resources.values()]
    .sort((a, b) => compareForOutput(a.address, b.address))
    .map((resource) => resourceJson(configuration, module, resource, pool));
  return {
    ...(outputs.length > 0 ? { outputs: Object.fromEntries(outputs) } : {}),
    ...(resources.length > 0 ? { resources } : {}),
    ...(calls.length > 0 ? { module_calls: Object.fromEntries(calls) } : {}),
    ...(variables.length > 0 ? { variables: Object.fromEntries(variables) } : {}),
  };
}

/** The default as the variable's type has it. */
function defaultJson({ default: expression, type, typeDefaults }: Variable): Plain {
  if (!expression) return {};
  const { value } = evaluate(expression, emptyScope);
  const whole = typeDefaults !== undefined && !isNull(value) ? applyDefaults(value, typeDefaults) : value;
  const converted = convert(whole, type);
  return converted.ok && isWhollyKnown(converted.value) ? { default: knownPlain(converted.value) } : {};
}

// Managed resources stand before data sources, each by their addresses.
function compareForOutput(a: Resource["address"], b: Resource["address"]): number {
  if (a.mode !== b.mode) return a.mode === "managed" ? -1 : 1;
  return resourceText(a) < resourceText(b) ? -1 : 1;
}

function callJson(configuration: Configuration, module: Module, call: ModuleCall, pool: ProviderPool): Plain {
  const child = configuration.modules.get(childPath(module, call.name));
  const expressions = [...call.inputs].map(([name, expression]) => [name, expressionJson(expression)] as const);
  return {
    source: call.source,
    ...(expressions.length > 0 ? { expressions: Object.fromEntries(expressions) } : {}),
    ...repetitionJson(call.repetition),
    ...(child ? { module: moduleJson(configuration, child, pool) } : {}),
    ...(call.version === undefined ? {} : { version_constraint: call.version }),
    ...(call.dependsOn.length > 0 ? { depends_on: call.dependsOn.map((t) => t.file.text.slice(t.start, t.end)) } : {}),
  };
}

function resourceJson(configuration: Configuration, module: Module, resource: Resource, pool: ProviderPool): Plain {
  const { address } = providerOfResource(configuration, module, resource);
  const schema = pool.resourceSchema(address.source, resource.address);
  const expressions = schema ? bodyJson(resource.body, schema.block) : {};
  const { mode, type, name } = resource.address;
  return {
    address: resourceText(resource.address),
    mode,
    type,
    name,
    provider_config_key: providerKey(
      ownerOf(configuration, module, resource),
      resource.provider?.localName ?? address.source.type,
      address.alias,
    ),
    ...(Object.keys(expressions).length > 0 ? { expressions } : {}),
    schema_version: schema?.version ?? 0,
    ...repetitionJson(resource.repetition),
    ...(resource.dependsOn.length > 0
      ? { depends_on: resource.dependsOn.map((t) => t.file.text.slice(t.start, t.end)) }
      : {}),
  };
}

function repetitionJson(repetition: Resource["repetition"]): Plain {
  if (repetition.kind !== "count" && repetition.kind !== "forEach") return {};
  const expression = expressionJson(repetition.expression);
  // What has neither references nor a constant value is left out here.
  if (Object.keys(expression).length === 0) return {};
  return { [repetition.kind === "count" ? "count_expression" : "for_each_expression"]: expression };
}

function bodyJson(body: Body, schema: BlockSchema): Plain {
  const entries: [string, unknown][] = [];
  for (const name of [...schema.attributes.keys()].sort()) {
    const attribute = body.attributes.get(name);
    if (attribute) entries.push([name, expressionJson(attribute.expression)]);
  }
  for (const [name, nested] of schema.blocks) {
    const blocks = body.blocks
      .filter((block) => block.type === name)
      .map((block) => bodyJson(block.body, nested.block));
    if (blocks.length === 0) continue;
    entries.push([name, nested.nesting === "single" || nested.nesting === "group" ? blocks[0] : blocks]);
  }
  return Object.fromEntries(entries);
}

function expressionJson(expression: Expression): Plain {
  const references = referencesOf(expression);
  if (references.length > 0)
    return {
      references: references.flatMap((parsed) => (parsed.ok ? referenceTexts(parsed.reference.traversal) : [])),
    };
  const { value, diagnostics } = evaluate(expression, emptyScope);
  // What calls a function has no references, and no value before it is evaluated.
  if (diagnostics.length > 0 || !isWhollyKnown(value)) return {};
  return { constant_value: knownPlain(value) };
}

/** `a.b[0].c` as the format has it: itself, and each thing it is a part of, down to what is declared. */
function referenceTexts(traversal: {
  readonly root: { readonly name: string };
  readonly steps: readonly TraversalStep[];
}): string[] {
  const root = traversal.root.name;
  const isInstance = root === "module" && traversal.steps[1]?.kind === "index";
  const isDeep = isInstance || root === "data" || root === "ephemeral" || root === "resource";
  const least = root === "self" ? 0 : isDeep ? 2 : 1;
  const texts: string[] = root === "self" ? [root] : [];
  let text = root;
  traversal.steps.forEach((step, i) => {
    text += step.kind === "attribute" ? `.${step.name}` : keyStep(step.key);
    if (i + 1 >= least) texts.unshift(text);
  });
  return texts;
}

function keyStep(key: Extract<TraversalStep, { readonly kind: "index" }>["key"]): string {
  return key.type.kind === "number" ? `[${asNumber(key).toText()}]` : `[${JSON.stringify(key.data)}]`;
}

import type { Body, Expression } from "@millwright/hcl/ast";
import { walkExpression } from "@millwright/hcl/walk";
import type { ModuleInstance } from "../addresses.ts";
import { childModule, instanceAddress, rootModule } from "../addresses.ts";
import type { ConfigNode } from "../config-graph.ts";
import type { CheckRule, Configuration, Repetition } from "../configuration.ts";
import { decodeProviderConfig, decodeResourceConfig } from "../decode-body.ts";
import type { Evaluator, InstanceData } from "../evaluator.ts";
import { instanceDataOf, noInstance } from "../evaluator.ts";
import { expansionKeys } from "../expansion.ts";
import { expand } from "../plan/expand.ts";
import type { ProviderPool } from "../provider-pool.ts";

/**
 * Asks providers for all that the expressions of a node call them for, so that visiting it finds the answers. Nothing is
 * reported: what is wrong is found again by the visit. Nodes that call no provider's function, which are nearly all, cost no
 * more than a look at their expressions, once.
 */
export async function prefetch(evaluator: Evaluator, pool: ProviderPool, node: ConfigNode): Promise<void> {
  const { providerFunctions } = evaluator;
  if (!providerFunctions || !callsProviders(evaluator.context.configuration, node)) return;
  if (node.kind !== "variable") return providerFunctions.settle(() => evaluateAll(evaluator, pool, node));
  // Rules see the variable, whose value is kept once it was asked for: what it is made of has to be there before.
  await providerFunctions.settle(() => eachInstance(evaluator, node, variableInput));
  await providerFunctions.settle(() => eachInstance(evaluator, node, variableRules));
}

function callsProviders(configuration: Configuration, node: ConfigNode): boolean {
  let calls = memo.get(node);
  if (calls === undefined) memo.set(node, (calls = expressionsOf(configuration, node).some(callsProvider)));
  return calls;
}

const memo = new WeakMap<object, boolean>();

function callsProvider(expression: Expression): boolean {
  let found = false;
  walkExpression(expression, (inner) => {
    if (inner.kind === "call" && inner.name.startsWith("provider::")) found = true;
    return !found;
  });
  return found;
}

function evaluateAll(evaluator: Evaluator, pool: ProviderPool, node: ConfigNode): void {
  if (node.kind === "provider") return providerBody(evaluator, pool, node.provider);
  if (node.kind === "close") return;
  for (const module of evaluator.moduleInstances(node.module)) {
    if (node.kind === "resource") resourceBody(evaluator, pool, node, module);
    else
      for (const expression of expressionsOf(evaluator.context.configuration, node))
        evaluator.evaluate(expression, module);
  }
}

type VariableNode = Extract<ConfigNode, { readonly kind: "variable" }>;

function eachInstance(
  evaluator: Evaluator,
  node: VariableNode,
  work: (evaluator: Evaluator, node: VariableNode, module: ModuleInstance) => void,
): void {
  for (const module of evaluator.moduleInstances(node.module)) work(evaluator, node, module);
}

function variableInput(evaluator: Evaluator, { variable }: VariableNode, module: ModuleInstance): void {
  const step = module.steps.at(-1);
  if (!step) return;
  const caller = module.steps.slice(0, -1).reduce((up, { name, key }) => childModule(up, name, key), rootModule);
  const input = evaluator.module(caller).calls.get(step.name)?.inputs.get(variable.name);
  if (input) evaluator.evaluate(input, caller, instanceDataOf(evaluator.call(caller, step.name), step.key));
}

function variableRules(evaluator: Evaluator, { variable }: VariableNode, module: ModuleInstance): void {
  for (const rule of rulesOf(variable.validations)) evaluator.evaluate(rule, module);
}

function resourceBody(
  evaluator: Evaluator,
  pool: ProviderPool,
  { resource, provider }: Extract<ConfigNode, { kind: "resource" }>,
  module: ModuleInstance,
): void {
  const schema = pool.resourceSchema(provider.source, resource.address);
  const { value: expansion } = expand(resource.repetition, evaluator, module, "good");
  for (const key of expansionKeys(expansion)) {
    const instance = instanceDataOf(expansion, key);
    const address = instanceAddress(module, resource.address, key);
    if (schema) decodeResourceConfig(evaluator, resource, schema, address, instance);
    const rules = [...resource.lifecycle.preconditions, ...resource.lifecycle.postconditions];
    for (const rule of rulesOf(rules)) evaluator.evaluate(rule, module, instance);
  }
}

function providerBody(
  evaluator: Evaluator,
  pool: ProviderPool,
  { address, block, module }: Extract<ConfigNode, { kind: "provider" }>["provider"],
): void {
  const schema = pool.providerBlock(address.source);
  if (!schema || !block) return;
  const at = module.names.reduce((up, name) => childModule(up, name, undefined), rootModule);
  const instances: readonly InstanceData[] = block.forEach
    ? [...(block.instances ?? [])].map(([key, value]) =>
        instanceDataOf({ kind: "forEach", values: new Map([[key, value]]) }, key),
      )
    : [noInstance];
  for (const instance of instances) decodeProviderConfig(evaluator, block.body, schema, at, instance);
}

function expressionsOf(configuration: Configuration, node: ConfigNode): readonly Expression[] {
  switch (node.kind) {
    case "variable": {
      const { module, variable } = node;
      const caller = configuration.modules.get(
        module.names
          .slice(0, -1)
          .map((name) => `module.${name}`)
          .join("."),
      );
      const input = caller?.calls.get(module.names.at(-1) ?? "")?.inputs.get(variable.name);
      return [...(input ? [input] : []), ...rulesOf(variable.validations)];
    }
    case "local":
      return [node.local.expression];
    case "output":
      return [node.output.value, ...rulesOf(node.output.preconditions)];
    case "call":
      return repetitionOf(node.call.repetition);
    case "resource": {
      const { body, repetition, lifecycle } = node.resource;
      const rules = rulesOf([...lifecycle.preconditions, ...lifecycle.postconditions]);
      return [...repetitionOf(repetition), ...expressionsOfBody(body), ...rules];
    }
    case "provider":
      return node.provider.block ? expressionsOfBody(node.provider.block.body) : [];
    case "check":
      return rulesOf(node.check.asserts);
    case "close":
      return [];
  }
}

function rulesOf(rules: readonly CheckRule[]): Expression[] {
  return rules.flatMap(({ condition, errorMessage }) => [condition, errorMessage]);
}

function repetitionOf(repetition: Repetition): Expression[] {
  return repetition.kind === "single" ? [] : [repetition.expression];
}

function expressionsOfBody(body: Body): Expression[] {
  const own = [...body.attributes.values()].map(({ expression }) => expression);
  const json: Expression[] = body.json ? [{ ...body.json, kind: "json", value: body.json }] : [];
  return [...own, ...json, ...body.blocks.flatMap((block) => expressionsOfBody(block.body))];
}

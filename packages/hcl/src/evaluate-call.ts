import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import type { Value } from "@millwright/value/value";
import { asArray, dynamicValue, isKnown, withMarks } from "@millwright/value/value";
import { didYouMean } from "./access.ts";
import type { Expression, FunctionCall, Node } from "./ast.ts";
import type { Context } from "./context.ts";
import { failedSince, refuse } from "./context.ts";
import type { FunctionSpec, Parameter } from "./function-spec.ts";
import { callFunction, closureType, closureValue, parameterAt } from "./function-spec.ts";
import { emptyScope, functionIn, namesIn } from "./scope.ts";
import { withoutSecrets } from "./secret-text.ts";
import { between, startOf } from "./span.ts";

/** `name(args...)`: the arguments converted to the parameters' types and the function called. */
export function evaluateCall(call: FunctionCall, context: Context): Value {
  const spec = functionIn(context.scope, call.name);
  if (!spec) return unknownFunction(call, context);
  const before = context.diagnostics.length;
  const args = call.expandFinal ? expanded(call, spec, context) : call.args.map((expression) => ({ expression }));
  if (!args || !fitsCount(args, spec, call, context)) return dynamicValue;
  const values = args.map((arg, index) => argumentValue(arg, parameterAt(spec, index)!, spec, call, context));
  if (failedSince(context, before)) return dynamicValue;
  const result = callFunction(spec, values);
  if (result.ok) return result.value;
  callFailed(result.message, result.argument, args, spec, call, context);
  return dynamicValue;
}

/** An argument as written, or an element of the collection that `...` expanded, at the place of that collection. */
interface Argument {
  readonly expression: Expression;
  readonly value?: Value;
}

function placeOf({ expression, value }: Argument): Node {
  return value ? expression : startOf(expression);
}

function unknownFunction(call: FunctionCall, context: Context): Value {
  const names = namesIn(context.scope, "functions");
  if (!names) {
    refuse(context, "Function calls not allowed", "Functions may not be called here.", {
      subject: call,
      expression: call,
    });
    return dynamicValue;
  }
  const place = { subject: call.nameNode, context: call, expression: call };
  if (call.name.startsWith("provider::"))
    refuse(context, "Unknown provider function", unknownProviderFunction(call.name, names), place);
  else refuse(context, "Call to unknown function", unknownFunctionDetail(call.name, names), place);
  return dynamicValue;
}

function unknownProviderFunction(name: string, names: readonly string[]): string {
  const [, provider = "", ...rest] = name.split("::");
  const own = rest.at(-1);
  if (own === undefined) return 'The function call must include the provider name after the "provider::" prefix.';
  const inNamespace = names.filter((other) => other.startsWith(`provider::${provider}::`));
  if (inNamespace.length > 0)
    return `The function ${quote(own)} is not available from the provider ${quote(provider)}.${didYouMean(name, inNamespace)}`;
  return `There is no function named ${quote(name)}. Ensure that provider name ${quote(provider)} is declared in this module's required_providers block, and that this provider offers a function named ${quote(own)}.`;
}

function unknownFunctionDetail(name: string, names: readonly string[]): string {
  const separator = name.lastIndexOf("::");
  if (separator < 0) return `There is no function named ${quote(name)}.${didYouMean(name, names)}`;
  const namespace = name.slice(0, separator + 2);
  const inNamespace = names.filter((other) => other.startsWith(namespace));
  if (inNamespace.length === 0) return `There are no functions in namespace ${quote(namespace)}.`;
  const hint = didYouMean(name, inNamespace).replaceAll('"', "");
  return `There is no function named ${quote(name.slice(separator + 2))} in namespace ${namespace}.${hint}`;
}

/** The arguments with those of the last one's elements; undefined where that cannot be expanded, or not yet. */
function expanded(call: FunctionCall, spec: FunctionSpec, context: Context): readonly Argument[] | undefined {
  const final = call.args.at(-1)!;
  const before = context.diagnostics.length;
  const value = context.evaluate(final, context);
  if (failedSince(context, before)) return undefined;
  const { kind } = value.type;
  const refuseExpanding = (detail: string): undefined => {
    refuse(context, "Invalid expanding argument value", detail, {
      subject: final,
      context: call,
      expression: final,
      activity: callText(call, spec),
    });
  };
  if (kind !== "dynamic" && kind !== "tuple" && kind !== "list" && kind !== "set") {
    return refuseExpanding("The expanding argument (indicated by ...) must be of a tuple, list, or set type.");
  }
  if (value.data === null) return refuseExpanding("The expanding argument (indicated by ...) must not be null.");
  if (!isKnown(value)) return undefined;
  return [
    ...call.args.slice(0, -1).map((expression) => ({ expression })),
    ...asArray(value).map((element) => ({ expression: final, value: withMarks(element, value.marks) })),
  ];
}

function fitsCount(args: readonly Argument[], spec: FunctionSpec, call: FunctionCall, context: Context): boolean {
  const wanted = spec.parameters.length;
  if (args.length === wanted || (spec.variadic && args.length > wanted)) return true;
  const place = { context: call, expression: call, activity: callText(call, spec) };
  const extra = args[wanted];
  if (extra) {
    const detail = `Function ${quote(call.name)} expects only ${wanted} argument(s).`;
    refuse(context, "Too many function arguments", detail, { ...place, subject: placeOf(extra) });
    return false;
  }
  const missing = quote(spec.parameters[args.length]!.name);
  const least = spec.variadic ? " at least" : "";
  const detail = `Function ${quote(call.name)} expects${least} ${wanted} argument(s). Missing value for ${missing}.`;
  refuse(context, "Not enough function arguments", detail, { ...place, subject: call.closeParen });
  return false;
}

function argumentValue(
  argument: Argument,
  parameter: Parameter,
  spec: FunctionSpec,
  call: FunctionCall,
  context: Context,
): Value {
  if (parameter.type === closureType) return closureOver(argument, context);
  const { expression } = argument;
  const value = argument.value ?? context.evaluate(expression, context);
  const converted = convert(value, parameter.type);
  if (converted.ok) return converted.value;
  const detail = `Invalid value for ${quote(parameter.name)} parameter: ${withoutSecrets(converted.message, [value])}.`;
  const place = { subject: placeOf(argument), context: call, expression, activity: callText(call, spec) };
  refuse(context, "Invalid function argument", detail, place);
  return value;
}

function closureOver({ expression, value }: Argument, context: Context): Value {
  const { file, start, end } = expression;
  const closed: Expression = value ? { kind: "literal", value, file, start, end } : expression;
  return closureValue({ expression: closed, scope: context.scope ?? emptyScope });
}

function callFailed(
  message: string,
  index: number | undefined,
  args: readonly Argument[],
  spec: FunctionSpec,
  call: FunctionCall,
  context: Context,
): void {
  const activity = callText(call, spec);
  const parameter = index === undefined ? undefined : parameterAt(spec, index);
  if (index === undefined || !parameter) {
    const subject = between(call.nameNode, call.openParen);
    const detail = `Call to function ${quote(call.name)} failed: ${message}.`;
    refuse(context, "Error in function call", detail, { subject, context: call, expression: call, activity });
    return;
  }
  const argument = args[index];
  const detail = `Invalid value for ${quote(parameter.name)} parameter: ${message}.`;
  refuse(context, "Invalid function argument", detail, {
    subject: argument ? placeOf(argument) : call,
    context: call,
    expression: argument?.expression ?? call,
    activity,
  });
}

function callText(call: FunctionCall, spec: FunctionSpec): string {
  const names = spec.parameters.map((parameter) => parameter.name);
  if (spec.variadic) names.push(`${spec.variadic.name}...`);
  return `while calling ${call.name}(${names.join(", ")})`;
}

import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import type { Expression } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import { convert } from "@millwright/value/convert";
import { stringType } from "@millwright/value/types";
import { asString, isKnown, isNull } from "@millwright/value/value";
import type { Module, ModuleCall } from "../configuration.ts";
import type { StaticEvaluator } from "./static.ts";

/** A module call with its source and version worked out; a version of null is none. */
export function resolveCall(evaluator: StaticEvaluator, module: Module, call: ModuleCall): Diagnosed<ModuleCall> {
  const { sourceExpression, versionExpression } = call;
  const diagnostics: Diagnostic[] = [];
  const text = (expression: Expression | undefined, argument: "source" | "version"): string | undefined => {
    if (!expression) return undefined;
    const what = `module.${call.name}.${argument}`;
    const { value, diagnostics: found } = evaluator.evaluatePlain(module, expression, what);
    diagnostics.push(...found);
    if (hasErrors(found)) return undefined;
    const converted = convert(value, stringType);
    if (converted.ok && isNull(converted.value) && argument === "version") return undefined;
    if (converted.ok && isKnown(converted.value) && !isNull(converted.value)) return asString(converted.value);
    const detail = `The ${argument} of module "${call.name}" must be a text that is known before anything is planned.`;
    diagnostics.push(errorDiagnostic("Unsuitable value type", detail, { subject: rangeOf(expression) }));
    return undefined;
  };
  const version = text(versionExpression, "version");
  const source = text(sourceExpression, "source") ?? "";
  if (version !== undefined && source !== "" && !isRegistrySource(source)) {
    const detail = `"${source}" is no address in a module registry, such as "hashicorp/consul/aws" or "example.com/team/net/aws". A registry is meant, because the argument "version" is set, which applies only to registry modules: remove it, or correct the source.`;
    diagnostics.push(errorDiagnostic("Invalid registry module source address", detail, { subject: call.sourceRange }));
    return { value: { ...call, source: "" }, diagnostics };
  }
  return { value: { ...call, source, ...(version === undefined ? {} : { version }) }, diagnostics };
}

/** `[HOST/]NAMESPACE/NAME/SYSTEM`, perhaps with a folder inside behind two slashes. */
function isRegistrySource(source: string): boolean {
  const parts = source.split("//", 1)[0]!.split("/");
  const names = parts.length === 4 ? parts.slice(1) : parts;
  const host = parts.length === 4 ? parts[0]! : "registry.example";
  const isHost = /^[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?(?:\.[0-9A-Za-z-]+)*(?::\d+)?$/.test(host);
  return (
    names.length === 3 && isHost && names.every((name) => /^[0-9A-Za-z](?:[0-9A-Za-z_-]*[0-9A-Za-z])?$/.test(name))
  );
}

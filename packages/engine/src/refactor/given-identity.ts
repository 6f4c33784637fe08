import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import { rangeOf } from "@millwright/hcl/source-file";
import type { IdentitySchema, Schema } from "@millwright/provider/schema";
import { convert } from "@millwright/value/convert";
import { objectType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asMap, ephemeral, isMarkedDeep, isNull, isWhollyKnown, sensitive } from "@millwright/value/value";
import type { ImportBlock } from "./blocks.ts";

/** The identity that an `import` block gives, as a value of the type's identity schema: what it may leave out is null. */
export function givenIdentity(value: Value, block: ImportBlock, schema: Schema): Diagnosed<Value | undefined> {
  const { identity } = schema;
  if (!identity) return { value: undefined, diagnostics: [noIdentity(block)] };
  const refuse = (detail: string) => {
    const place = { subject: rangeOf(block.by.expression) };
    return { value: undefined, diagnostics: [errorDiagnostic("Invalid import identity argument", detail, place)] };
  };
  if (isMarkedDeep(value, sensitive) || isMarkedDeep(value, ephemeral))
    return refuse("The import identity must not be sensitive or ephemeral: it is shown in the plan.");
  if (!isWhollyKnown(value))
    return refuse(
      'The import block "identity" argument depends on resource attributes that cannot be determined until apply, so this resource cannot be planned to be imported.',
    );
  if (isNull(value)) return refuse("The import identity cannot be null.");
  const wrong = misfit(value, identity, block.to.resource.type);
  if (wrong !== undefined) return refuse(wrong);
  const converted = convert(value, importType(identity));
  return converted.ok
    ? { value: converted.value, diagnostics: [] }
    : refuse(`The import identity is unsuitable: ${converted.message}.`);
}

/** What is said of a block that gives the identity of an object whose type has none. */
export function noIdentity({ by, to }: ImportBlock): Diagnostic {
  const detail = `Objects of type "${to.resource.type}" have no identity in the version of the provider that is in use, so they are imported by their ID: give "id" instead.`;
  return errorDiagnostic("Import by identity not supported", detail, { subject: rangeOf(by.expression) });
}

function misfit(value: Value, { attributes }: IdentitySchema, type: string): string | undefined {
  const names = [...attributes.keys()];
  if (value.type.kind !== "object" && value.type.kind !== "map")
    return `The import identity must be an object with the attributes of a ${type}'s identity: ${names.join(", ")}.`;
  const given = asMap(value);
  for (const name of given.keys()) {
    if (attributes.has(name)) continue;
    const near = similar(name, names);
    const hint = near ? ` Did you mean "${near}"?` : ` It is made of ${names.join(", ")}.`;
    return `The identity of a ${type} has no attribute "${name}".${hint}`;
  }
  for (const [name, { requiredForImport }] of attributes) {
    const part = given.get(name);
    if (requiredForImport && (!part || isNull(part)))
      return `The attribute "${name}" of a ${type}'s identity is required for an import.`;
  }
  return undefined;
}

function importType({ attributes }: IdentitySchema) {
  const parts = [...attributes].map(([name, { type }]) => [name, type] as const);
  const optional = [...attributes].filter(([, { requiredForImport }]) => !requiredForImport).map(([name]) => name);
  return objectType(parts, optional);
}

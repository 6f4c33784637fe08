import type { Attribute, Block, Field, Fields } from "./fields.ts";
import type { AttributeSchema, BlockSchema, NestedAttributeSchema, NestedBlockSchema } from "./schema.ts";

/**
 * How attributes with defaults are told to the other side. In protocol 6 they are computed, so that the plan may fill them
 * in; resources of the older type system fill them in without saying so.
 */
export type TypeSystem = "strict" | "legacy";

/** The schema that authors' fields stand for. */
export function schemaOfFields(
  fields: Fields,
  system: TypeSystem = "strict",
  about: { readonly description?: string } = {},
): BlockSchema {
  const attributes: [string, AttributeSchema][] = [];
  const blocks: [string, NestedBlockSchema][] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (field.kind === "attribute") attributes.push([name, attributeSchema(field, system)]);
    else blocks.push([name, blockSchema(field, system)]);
  }
  return { attributes: new Map(attributes), blocks: new Map(blocks), ...describe(about.description) };
}

/** The schema of one attribute; undefined where there is no such attribute. */
export function attributeSchemaOf(fields: Fields, name: string): AttributeSchema | undefined {
  const field = fields[name];
  return field?.kind === "attribute" ? attributeSchema(field, "strict") : undefined;
}

/** The fields inside a nested block or a nested attribute; undefined for an attribute of a plain type. */
export function fieldsInside(field: Field): Fields | undefined {
  return field.kind === "block" ? field.fields : field.type.nested?.fields;
}

function attributeSchema(attribute: Attribute, system: TypeSystem): AttributeSchema {
  const { type, options } = attribute;
  return {
    ...(type.nested ? { nested: nestedSchema(type.nested, system) } : { type: type.type }),
    ...presenceFlags(attribute, system),
    ...(options.sensitive ? { sensitive: true } : {}),
    ...(options.deprecated ? { deprecated: true } : {}),
    ...(options.volatile ? { volatile: true } : {}),
    ...describe(options.description),
  };
}

function presenceFlags({ presence }: Attribute, system: TypeSystem): Partial<AttributeSchema> {
  switch (presence) {
    case "required":
      return { required: true };
    case "optional":
      return { optional: true };
    case "defaulted":
      return system === "legacy" ? { optional: true } : { optional: true, computed: true };
    case "inferred":
      return { optional: true, computed: true };
    case "computed":
      return { computed: true };
    case "writeOnly":
      return { optional: true, writeOnly: true };
    case "requiredWriteOnly":
      return { required: true, writeOnly: true };
  }
}

function nestedSchema(nested: NonNullable<Attribute["type"]["nested"]>, system: TypeSystem): NestedAttributeSchema {
  return { nesting: nested.nesting, attributes: schemaOfFields(nested.fields, system).attributes };
}

function blockSchema({ nesting, fields, options }: Block, system: TypeSystem): NestedBlockSchema {
  const inner = schemaOfFields(fields, system, options);
  return {
    nesting,
    block: options.deprecated ? { ...inner, deprecated: true } : inner,
    minItems: options.min ?? 0,
    maxItems: options.max ?? 0,
  };
}

function describe(description: string | undefined): {
  readonly description?: string;
  readonly descriptionKind?: "plain";
} {
  return description === undefined ? {} : { description, descriptionKind: "plain" };
}

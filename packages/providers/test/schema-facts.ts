import type { AttributeSchema, BlockSchema, FunctionSchema, ProviderSchema, Schema } from "@millwright/provider/schema";
import { typeToPlain } from "@millwright/value/type-json";

/** A provider's schema as `terraform providers schema -json` has it, without descriptions. */
export function schemaFacts(schema: ProviderSchema): Record<string, unknown> {
  return {
    provider: schemaFactsOf(schema.provider),
    resource_schemas: each(schema.resources, schemaFactsOf),
    data_source_schemas: each(schema.dataSources, schemaFactsOf),
    ephemeral_resource_schemas: each(schema.ephemeralResources, schemaFactsOf),
    functions: each(schema.functions, functionFacts),
  };
}

function schemaFactsOf({ version, block }: Schema): unknown {
  return { version, block: blockFacts(block) };
}

function blockFacts({ attributes, blocks }: BlockSchema): unknown {
  return {
    ...(attributes.size > 0 ? { attributes: each(attributes, attributeFacts) } : {}),
    ...(blocks.size > 0 ? { block_types: each(blocks, nestedFacts) } : {}),
  };
}

function nestedFacts({
  nesting,
  block,
  minItems,
  maxItems,
}: BlockSchema["blocks"] extends ReadonlyMap<string, infer N> ? N : never): unknown {
  return {
    nesting_mode: nesting,
    block: blockFacts(block),
    ...(minItems > 0 ? { min_items: minItems } : {}),
    ...(maxItems > 0 ? { max_items: maxItems } : {}),
  };
}

function attributeFacts({
  type,
  required,
  optional,
  computed,
  sensitive,
  deprecated,
  writeOnly,
}: AttributeSchema): unknown {
  return {
    type: type && typeToPlain(type),
    ...(required ? { required } : {}),
    ...(optional ? { optional } : {}),
    ...(computed ? { computed } : {}),
    ...(sensitive ? { sensitive } : {}),
    ...(deprecated ? { deprecated } : {}),
    ...(writeOnly ? { write_only: true } : {}),
  };
}

function functionFacts({ parameters, returnType }: FunctionSchema): unknown {
  return {
    parameters: parameters.map(({ name, type, allowNull }) => ({
      name,
      type: typeToPlain(type),
      ...(allowNull ? { is_nullable: true } : {}),
    })),
    return_type: typeToPlain(returnType),
  };
}

function each<T>(map: ReadonlyMap<string, T>, facts: (value: T) => unknown): Record<string, unknown> {
  return Object.fromEntries([...map].map(([name, value]) => [name, facts(value)]));
}

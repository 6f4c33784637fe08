import type {
  AttributeSchema,
  BlockSchema,
  IdentityAttributeSchema,
  NestedBlockSchema,
  ProviderSchema,
  Schema,
} from "@millwright/provider/schema";
import { typeToPlain } from "@millwright/value/type-json";
import { type ProviderSource, providerSourceText } from "../addresses.ts";
import type { ProviderPool } from "../provider-pool.ts";

type Plain = Readonly<Record<string, unknown>>;

/** The schemas of loaded providers in the documented format 1.0 (`providers schema -json`). */
export function providerSchemasJson(sources: readonly ProviderSource[], pool: ProviderPool): Plain {
  const schemas: [string, Plain][] = [];
  for (const source of sources) {
    const schema = pool.schema(source);
    if (schema) schemas.push([providerSourceText(source), providerPlain(schema)]);
  }
  return { format_version: "1.0", ...(schemas.length > 0 ? { provider_schemas: Object.fromEntries(schemas) } : {}) };
}

function providerPlain(schema: ProviderSchema): Plain {
  const functions = [...schema.functions].map(([name, { parameters, variadic, returnType, summary, description }]) => {
    const parameter = (p: (typeof parameters)[number]) => ({
      name: p.name,
      ...(p.description ? { description: p.description } : {}),
      ...(p.allowNull ? { is_nullable: true } : {}),
      type: typeToPlain(p.type),
    });
    const plain = {
      ...(description ? { description } : {}),
      ...(summary ? { summary } : {}),
      return_type: typeToPlain(returnType),
      ...(parameters.length > 0 ? { parameters: parameters.map(parameter) } : {}),
      ...(variadic ? { variadic_parameter: parameter(variadic) } : {}),
    };
    return [name, plain] as const;
  });
  return {
    provider: isEmptyBlock(schema.provider.block) ? { version: schema.provider.version } : schemaPlain(schema.provider),
    ...mapPlain("resource_schemas", schema.resources),
    ...mapPlain("data_source_schemas", schema.dataSources),
    ...mapPlain("ephemeral_resource_schemas", schema.ephemeralResources),
    ...(functions.length > 0 ? { functions: Object.fromEntries(functions) } : {}),
    ...identitiesPlain(schema.resources),
  };
}

/** What names objects of the types that have an identity, as Terraform has it since 1.12. */
function identitiesPlain(resources: ReadonlyMap<string, Schema>): Plain {
  const identities = [...resources].flatMap(([type, { identity }]) => {
    if (!identity) return [];
    const attributes = [...identity.attributes].map(([name, one]) => [name, identityAttributePlain(one)] as const);
    return [[type, { version: identity.version, attributes: Object.fromEntries(attributes) }] as const];
  });
  return identities.length > 0 ? { resource_identity_schemas: Object.fromEntries(identities) } : {};
}

function identityAttributePlain({
  type,
  description,
  requiredForImport,
  optionalForImport,
}: IdentityAttributeSchema): Plain {
  return {
    type: typeToPlain(type),
    ...(description ? { description } : {}),
    ...(requiredForImport ? { required_for_import: true } : {}),
    ...(optionalForImport ? { optional_for_import: true } : {}),
  };
}

function mapPlain(name: string, schemas: ReadonlyMap<string, Schema>): Plain {
  return schemas.size === 0
    ? {}
    : { [name]: Object.fromEntries([...schemas].map(([type, schema]) => [type, schemaPlain(schema)])) };
}

function schemaPlain({ version, block }: Schema): Plain {
  return { version, block: blockPlain(block) };
}

function isEmptyBlock({ attributes, blocks }: BlockSchema): boolean {
  return attributes.size === 0 && blocks.size === 0;
}

function blockPlain(block: BlockSchema): Plain {
  return {
    ...attributesPlain(block.attributes),
    ...(block.blocks.size > 0
      ? { block_types: Object.fromEntries([...block.blocks].map(([name, nested]) => [name, nestedPlain(nested)])) }
      : {}),
    ...(block.description ? { description: block.description } : {}),
    description_kind: block.descriptionKind ?? "plain",
    ...(block.deprecated ? { deprecated: true } : {}),
  };
}

function nestedPlain({ nesting, block, minItems, maxItems }: NestedBlockSchema): Plain {
  return {
    nesting_mode: nesting,
    block: blockPlain(block),
    ...(minItems > 0 ? { min_items: minItems } : {}),
    ...(maxItems > 0 ? { max_items: maxItems } : {}),
  };
}

function attributesPlain(attributes: ReadonlyMap<string, AttributeSchema>): Plain {
  return attributes.size === 0
    ? {}
    : { attributes: Object.fromEntries([...attributes].map(([name, attribute]) => [name, attributePlain(attribute)])) };
}

function attributePlain(attribute: AttributeSchema): Plain {
  const { nested } = attribute;
  return {
    ...(attribute.type ? { type: typeToPlain(attribute.type) } : {}),
    ...(nested ? { nested_type: { ...attributesPlain(nested.attributes), nesting_mode: nested.nesting } } : {}),
    ...(attribute.description ? { description: attribute.description } : {}),
    description_kind: attribute.descriptionKind ?? "plain",
    ...(attribute.deprecated ? { deprecated: true } : {}),
    ...(attribute.required ? { required: true } : {}),
    ...(attribute.optional ? { optional: true } : {}),
    ...(attribute.computed ? { computed: true } : {}),
    ...(attribute.sensitive ? { sensitive: true } : {}),
    ...(attribute.writeOnly ? { write_only: true } : {}),
  };
}

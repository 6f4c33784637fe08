import type { AttributeSchema, BlockSchema, ProviderSchema } from "../schema.ts";

/** What no driver of providers could work with in a provider's schema. */
export function schemaFaults(schema: ProviderSchema): readonly string[] {
  const all = [
    ["provider", schema.provider] as const,
    ...[...schema.resources].map(([name, s]) => [name, s] as const),
    ...[...schema.dataSources].map(([name, s]) => [`data.${name}`, s] as const),
    ...[...schema.ephemeralResources].map(([name, s]) => [`ephemeral.${name}`, s] as const),
  ];
  return all.flatMap(([name, { version, block }]) => [
    ...(Number.isInteger(version) && version >= 0 ? [] : [`${name}: the schema version is ${version}`]),
    ...blockFaults(name, block),
  ]);
}

function blockFaults(where: string, block: BlockSchema): readonly string[] {
  const attributes = [...block.attributes].flatMap(([name, attribute]) =>
    attributeFaults(`${where}.${name}`, name, attribute),
  );
  const blocks = [...block.blocks].flatMap(([name, nested]) => [
    ...nameFaults(`${where}.${name}`, name),
    ...(block.attributes.has(name) ? [`${where}.${name}: is an attribute and a block`] : []),
    ...(nested.maxItems > 0 && nested.minItems > nested.maxItems
      ? [`${where}.${name}: more blocks are needed than allowed`]
      : []),
    ...blockFaults(`${where}.${name}`, nested.block),
  ]);
  return [...attributes, ...blocks];
}

function attributeFaults(where: string, name: string, attribute: AttributeSchema): readonly string[] {
  const { required, optional, computed, writeOnly, type, nested } = attribute;
  const faults: string[] = [...nameFaults(where, name)];
  if (Boolean(type) === Boolean(nested)) faults.push(`${where}: needs either a type or nested attributes`);
  if (!required && !optional && !computed) faults.push(`${where}: is neither required nor optional nor computed`);
  if (required && (optional || computed)) faults.push(`${where}: is required and something else`);
  if (writeOnly && computed) faults.push(`${where}: is write-only and computed`);
  if (nested) {
    for (const [inner, schema] of nested.attributes)
      faults.push(...attributeFaults(`${where}.${inner}`, inner, schema));
  }
  return faults;
}

function nameFaults(where: string, name: string): readonly string[] {
  return /^[a-z0-9_]+$/.test(name) ? [] : [`${where}: the name needs small letters, digits and underscores`];
}

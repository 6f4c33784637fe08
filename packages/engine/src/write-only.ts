import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { AttributeSchema, BlockSchema, NestedBlockSchema } from "@millwright/provider/schema";
import { formatPath, type Path, steps, transform } from "@millwright/value/path";
import { asMap, isKnown, isNull, nullValue, type Value } from "@millwright/value/value";

/** Where an object that a provider gave has values in write-only arguments, which are to be null: they would be kept. */
export function writtenBack(object: Value, schema: BlockSchema, at: Path = []): readonly Path[] {
  if (!hasWriteOnly(schema) || isNull(object) || !isKnown(object)) return [];
  return [...asMap(object)].flatMap(([name, value]) => {
    const path = [...at, { attribute: name }];
    const attribute = schema.attributes.get(name);
    if (attribute) return inAttribute(value, attribute, path);
    const block = schema.blocks.get(name);
    return block ? inElements(value, block.block, block.nesting, path) : [];
  });
}

/** The object with those values taken out. */
export function withoutWrittenBack(object: Value, paths: readonly Path[]): Value {
  if (paths.length === 0) return object;
  const texts = new Set(paths.map(formatPath));
  return transform(object, (path, part) => (texts.has(formatPath(path)) ? nullValue(part.type) : part));
}

/** What there is to say of it; no value is told. */
export function writtenBackProblems(address: string, paths: readonly Path[], doing: string): Diagnostic[] {
  return paths.map((path) => {
    const name = formatPath(path).replace(/^\./, "");
    const detail = `The provider returned a value for the write-only attribute "${name}" of ${address} ${doing}. Write-only attributes cannot be read back from a provider, so it is not kept.\n\nThis is a bug in the provider, which should be reported in the provider's own issue tracker.`;
    return errorDiagnostic("Write-only attribute set", detail, { address });
  });
}

function inAttribute(value: Value, { writeOnly, nested }: AttributeSchema, at: Path): readonly Path[] {
  if (writeOnly) return isKnown(value) && isNull(value) ? [] : [at];
  return nested ? inElements(value, { attributes: nested.attributes, blocks: new Map() }, nested.nesting, at) : [];
}

function inElements(
  value: Value,
  schema: BlockSchema,
  nesting: NestedBlockSchema["nesting"],
  at: Path,
): readonly Path[] {
  if (nesting === "single" || nesting === "group") return writtenBack(value, schema, at);
  if (!hasWriteOnly(schema) || isNull(value) || !isKnown(value)) return [];
  return [...steps(value)].flatMap(([step, element]) => writtenBack(element, schema, [...at, step]));
}

const memo = new WeakMap<BlockSchema, boolean>();

function hasWriteOnly(schema: BlockSchema): boolean {
  let has = memo.get(schema);
  if (has === undefined) {
    const inside = (attributes: BlockSchema["attributes"]) => hasWriteOnly({ attributes, blocks: new Map() });
    has =
      [...schema.attributes.values()].some((a) => a.writeOnly || (a.nested && inside(a.nested.attributes))) ||
      [...schema.blocks.values()].some((block) => hasWriteOnly(block.block));
    memo.set(schema, has);
  }
  return has;
}

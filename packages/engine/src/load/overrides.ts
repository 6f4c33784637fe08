import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Body, JsonObjectNode } from "@millwright/hcl/ast";
import { justAttributes, partialContentOf } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";

/**
 * Lays override files over the others, block by block: an argument replaces the one of that name, nested blocks replace all
 * of their type. What has nothing to be laid over is an error, except in `terraform`.
 */
export function applyOverrides(primary: readonly Block[], overrides: readonly Block[]): Diagnosed<readonly Block[]> {
  const diagnostics: Diagnostic[] = [];
  const merged = [...primary];
  for (const block of overrides) {
    if (neverOverridden.has(block.type)) {
      const detail = `A "${block.type}" block can appear only in normal files, not in override files: move it to one.`;
      const summary = `Cannot override '${block.type}' blocks`;
      diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(block.header) }));
      continue;
    }
    const dependsOn = block.body.attributes.get("depends_on");
    if (dependsOn) {
      const detail = "The depends_on argument may not be overridden: change it where the block itself is.";
      diagnostics.push(errorDiagnostic("Unsupported override", detail, { subject: rangeOf(dependsOn.nameNode) }));
    }
    if (block.type === "locals") {
      layLocals(merged, block, diagnostics);
      continue;
    }
    if (block.type === "terraform") {
      for (const piece of piecesOf(block)) laySettings(merged, piece, diagnostics);
      continue;
    }
    const at = merged.findIndex((other) => matches(other, block));
    if (at >= 0) merged[at] = lay(merged[at]!, block, diagnostics);
    else {
      diagnostics.push(
        errorDiagnostic(
          `Missing ${baseWords[block.type] ?? `base ${block.type}`} to override`,
          `There is no ${describe(block)} block to override with this one. An override file can only change what another file declares.`,
          { subject: rangeOf(block.header) },
        ),
      );
    }
  }
  return { value: merged, diagnostics };
}

function matches(base: Block, override: Block): boolean {
  if (base.type !== override.type || base.labels.join("\0") !== override.labels.join("\0")) return false;
  if (base.type !== "provider") return true;
  const alias = (block: Block) => aliasText(block.body.attributes.get("alias"));
  return alias(base) === alias(override);
}

function aliasText(attribute: Attribute | undefined): string {
  return attribute ? attribute.expression.file.text.slice(attribute.expression.start, attribute.expression.end) : "";
}

/** A `terraform` block for each setting in it: there may be several of them, each with settings of its own. */
function piecesOf(block: Block): Block[] {
  const { body } = block;
  if (body.json?.kind === "jsonObject") {
    const { json } = body;
    return json.properties.map((one) => ({ ...block, body: { ...body, json: { ...json, properties: [one] } } }));
  }
  const attributes = [...body.attributes].map((one) => ({ ...body, attributes: new Map([one]), blocks: [] }));
  const blocks = body.blocks.map((one) => ({ ...body, attributes: new Map(), blocks: [one] }));
  return [...attributes, ...blocks].map((piece) => ({ ...block, body: piece }));
}

function laySettings(merged: Block[], piece: Block, diagnostics: Diagnostic[]): void {
  const [setting = ""] = settingsOf(piece);
  const alike = storages.has(setting) ? storages : new Set([setting]);
  const at = merged.findIndex((block) => block.type === "terraform" && settingsOf(block).some((own) => alike.has(own)));
  if (at < 0) merged.push(piece);
  else merged[at] = lay(merged[at]!, piece, diagnostics);
}

/** Where a state is: one of them replaces the other. */
const storages: ReadonlySet<string> = new Set(["backend", "cloud"]);

function settingsOf({ body }: Block): readonly string[] {
  if (body.json?.kind === "jsonObject") return body.json.properties.map(({ name }) => name);
  return [...body.attributes.keys(), ...body.blocks.map(({ type }) => type)];
}

const baseWords: Readonly<Record<string, string>> = {
  variable: "base variable declaration",
  output: "base output definition",
  module: "module call",
  resource: "resource",
  data: "data resource",
  ephemeral: "ephemeral resource",
  provider: "base provider configuration",
};

const neverOverridden: ReadonlySet<string> = new Set(["moved", "import", "removed", "check"]);

// Each local value goes where it is declared, whichever block that is.
function layLocals(merged: Block[], override: Block, diagnostics: Diagnostic[]): void {
  const given = justAttributes(override.body);
  diagnostics.push(...given.diagnostics);
  const left = new Map(given.value);
  for (const [at, block] of merged.entries()) {
    if (block.type !== "locals") continue;
    const { value } = justAttributes(block.body);
    const replaced = [...value.keys()].flatMap((name) => left.get(name) ?? []);
    if (replaced.length === 0) continue;
    const attributes = new Map([...value, ...replaced.map((attribute) => [attribute.name, attribute] as const)]);
    merged[at] = { ...block, body: nativeBody(block.body, attributes) };
    for (const { name } of replaced) left.delete(name);
  }
  for (const { name, nameNode } of left.values()) {
    const detail = `There is no local value named "${name}". An override file can only override a local value that was already defined in a primary configuration file.`;
    const subject = rangeOf(nameNode);
    diagnostics.push(errorDiagnostic("Missing base local value definition to override", detail, { subject }));
  }
}

function nativeBody({ json: _, ...body }: Body, attributes: ReadonlyMap<string, Attribute>): Body {
  return { ...body, attributes };
}

function lay(base: Block, override: Block, diagnostics: Diagnostic[]): Block {
  if (base.body.json || override.body.json) return layJson(base, override, diagnostics);
  return { ...base, body: layBody(base.body, override.body, base.type, diagnostics) };
}

// What is an attribute in JSON and what a block only a schema can tell, so a property replaces the one of its name.
function layJson(base: Block, override: Block, diagnostics: Diagnostic[]): Block {
  const below = base.body.json;
  const over = override.body.json;
  if (below?.kind === "jsonObject" && over?.kind === "jsonObject")
    return { ...base, body: { ...base.body, json: layObject(below, over) } };
  return { ...base, body: layMixed(base.body, override.body, diagnostics) };
}

/** One body in the native syntax and one in JSON: the result has something of both, of which no name is in both. */
function layMixed(base: Body, override: Body, diagnostics: Diagnostic[]): Body {
  const own = namesIn(override);
  const merged = [...special].filter((name) => own.has(name) && namesIn(base).has(name));
  const isKept = (name: string) => !own.has(name);
  const isNew = (name: string) => !merged.includes(name);
  const properties = [
    ...propertiesOf(base).filter(({ name }) => isKept(name)),
    ...propertiesOf(override).filter(({ name }) => isNew(name)),
  ];
  const json = objectOf(base) ?? objectOf(override);
  return {
    ...base,
    attributes: new Map([...[...base.attributes].filter(([name]) => isKept(name)), ...override.attributes]),
    blocks: [
      ...base.blocks.filter((block) => isKept(nameOf(block))),
      ...override.blocks.filter((block) => isNew(nameOf(block))),
      ...merged.flatMap((name) => layNested(name, base, override, diagnostics)),
    ],
    ...(json ? { json: { ...json, properties } } : {}),
  };
}

function layNested(name: string, base: Body, override: Body, diagnostics: Diagnostic[]): readonly Block[] {
  const schema = { attributes: [], blocks: [{ type: name, labelNames: [] }] };
  const [below, over] = [base, override].map((body) => partialContentOf(body, schema).value.content.blocks[0]);
  return below && over ? [lay(below, over, diagnostics)] : [];
}

function namesIn(body: Body): ReadonlySet<string> {
  return new Set([
    ...body.attributes.keys(),
    ...body.blocks.map(nameOf),
    ...propertiesOf(body).map(({ name }) => name),
  ]);
}

function objectOf({ json }: Body): JsonObjectNode | undefined {
  return json?.kind === "jsonObject" ? json : undefined;
}

function propertiesOf(body: Body): JsonObjectNode["properties"] {
  return objectOf(body)?.properties ?? [];
}

/** What a block is called, also where it is generated. */
function nameOf(block: Block): string {
  return block.type === "dynamic" ? block.labels[0]! : block.type;
}

function layObject(base: JsonObjectNode, override: JsonObjectNode): JsonObjectNode {
  const given = new Map(override.properties.map((property) => [property.name, property]));
  const laid = base.properties.map((property) => {
    const over = given.get(property.name);
    given.delete(property.name);
    if (!over || !special.has(property.name)) return over ?? property;
    if (property.value.kind !== "jsonObject" || over.value.kind !== "jsonObject") return over;
    return { ...property, value: layObject(property.value, over.value) };
  });
  return { ...base, properties: [...laid, ...given.values()] };
}

/** Nested blocks that are laid over argument by argument, others as a whole. */
const special: ReadonlySet<string> = new Set(["lifecycle", "required_providers"]);

function layBody(base: Body, override: Body, type: string, diagnostics: Diagnostic[]): Body {
  const attributes = new Map([...base.attributes, ...override.attributes]);
  const replaced = new Set(override.blocks.map(nameOf));
  if (type === "terraform" && [...replaced].some((name) => storages.has(name)))
    for (const name of storages) replaced.add(name);
  if (type === "terraform" || type === "resource" || type === "data")
    return { ...base, attributes, blocks: layBlocks(base, override, replaced, diagnostics) };
  const kept = base.blocks.filter((block) => !replaced.has(nameOf(block)));
  return { ...base, attributes, blocks: [...kept, ...override.blocks] };
}

function layBlocks(
  base: Body,
  override: Body,
  replaced: ReadonlySet<string>,
  diagnostics: Diagnostic[],
): readonly Block[] {
  const merged = base.blocks
    .filter((block) => special.has(block.type) || !replaced.has(nameOf(block)))
    .map((block) => {
      const over = special.has(block.type) && override.blocks.find((other) => other.type === block.type);
      return over ? lay(block, over, diagnostics) : block;
    });
  const known = new Set(merged.map((block) => block.type));
  return [...merged, ...override.blocks.filter((block) => !special.has(block.type) || !known.has(block.type))];
}

function describe(block: Block): string {
  return [block.type, ...block.labels.map((label) => JSON.stringify(label))].join(" ");
}

import type { Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { Attribute, Block, Body } from "@millwright/hcl/ast";
import { contentOf } from "@millwright/hcl/body-content";
import { parseFile } from "@millwright/hcl/parse";
import { parseJsonFile } from "@millwright/hcl/parse-json";
import { rangeOf, sourceFile } from "@millwright/hcl/source-file";
import type { Constants } from "../load/constants.ts";
import type { Files } from "../ports.ts";
import { addOverride, isOverride, objectOf, overrideBlocks, readDuring } from "./read-override.ts";
import type { MockDefaults, MockProvider, Override } from "./test-file.ts";

const optional = (name: string) => ({ name, required: false });

const mockBlocks = [
  { type: "mock_resource", labelNames: ["type"] },
  { type: "mock_data", labelNames: ["type"] },
  ...overrideBlocks.filter(({ type }) => type !== "override_module"),
];

interface Mocks {
  readonly resources: Map<string, MockDefaults>;
  readonly dataSources: Map<string, MockDefaults>;
  readonly overrides: Override[];
}

/** A `mock_provider` block, with what the folder that its `source` names has for it; the block's own holds over that. */
export function readMockProvider(block: Block, constants: Constants, files: Files): MockProvider {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: ["alias", "source", "for_each", "override_during"].map(optional),
    blocks: mockBlocks,
  });
  constants.diagnostics.push(...diagnostics);
  const mocks: Mocks = { resources: new Map(), dataSources: new Map(), overrides: [] };
  const source = content.attributes.get("source");
  const folder = constants.text(source);
  if (source && folder !== undefined) readMockFolder(folder, source, mocks, constants, files);
  const own: Mocks = { resources: new Map(), dataSources: new Map(), overrides: [] };
  readMocks(content.blocks, own, constants);
  const alias = constants.text(content.attributes.get("alias"));
  const forEach = content.attributes.get("for_each");
  return {
    localName: block.labels[0]!,
    ...(alias === undefined ? {} : { alias }),
    ...(forEach ? { forEach: forEach.expression } : {}),
    resources: new Map([...mocks.resources, ...own.resources]),
    dataSources: new Map([...mocks.dataSources, ...own.dataSources]),
    overrides: [...mocks.overrides, ...own.overrides],
    duringPlan: readDuring(content.attributes.get("override_during"), constants) ?? false,
    range: rangeOf(block.header),
  };
}

function readMocks(blocks: readonly Block[], mocks: Mocks, constants: Constants): void {
  for (const block of blocks) {
    if (isOverride(block)) {
      addOverride(block, mocks.overrides, constants);
      continue;
    }
    const { value: content, diagnostics } = contentOf(block.body, {
      attributes: ["defaults", "override_during"].map(optional),
      blocks: [],
    });
    constants.diagnostics.push(...diagnostics);
    const type = block.labels[0]!;
    const known = block.type === "mock_data" ? mocks.dataSources : mocks.resources;
    const first = known.get(type);
    if (first) {
      const at = `${first.range.filename}:${first.range.start.line},${first.range.start.column}`;
      const detail = `A ${block.type} block for ${type} is already at ${at}. Put all its defaults into one.`;
      const subject = rangeOf(block.header);
      constants.diagnostics.push(errorDiagnostic(`Duplicate ${block.type} block`, detail, { subject }));
      continue;
    }
    known.set(type, {
      values: objectOf(content.attributes.get("defaults"), constants),
      duringPlan: readDuring(content.attributes.get("override_during"), constants),
      range: rangeOf(content.attributes.get("defaults") ?? block.header),
    });
  }
}

function readMockFolder(folder: string, source: Attribute, mocks: Mocks, constants: Constants, files: Files): void {
  const clean = folder.replace(/^\.\//, "").replace(/\/+$/, "");
  const names = files.list(clean === "" ? "." : clean);
  if (!names) {
    const detail = `There is no folder ${folder}: a mock provider's source is looked for from the folder under test.`;
    const subject = rangeOf(source.expression);
    constants.diagnostics.push(errorDiagnostic("Failed to read mock data source", detail, { subject }));
    return;
  }
  for (const name of names.filter((each) => /\.(tfmock|tofumock)\.(hcl|json)$/.test(each))) {
    const { body, diagnostics } = readBody(files, clean === "" ? name : `${clean}/${name}`);
    constants.diagnostics.push(...diagnostics);
    const { value: content, diagnostics: found } = contentOf(body, { attributes: [], blocks: mockBlocks });
    constants.diagnostics.push(...found);
    readMocks(content.blocks, mocks, constants);
  }
}

/** A file as a tree, by its ending in native or JSON syntax. */
export function readBody(
  files: Files,
  path: string,
): { readonly body: Body; readonly diagnostics: readonly Diagnostic[] } {
  const file = sourceFile(path, files.read(path) ?? new Uint8Array());
  const { value, diagnostics } = path.endsWith(".json") ? parseJsonFile(file) : parseFile(file);
  return { body: value, diagnostics };
}

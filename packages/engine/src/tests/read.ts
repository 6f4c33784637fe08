import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { SourceRange } from "@millwright/core/source";
import type { Attribute, Block, Expression } from "@millwright/hcl/ast";
import { contentOf, justAttributes, partialContentOf } from "@millwright/hcl/body-content";
import { referencesIn } from "@millwright/hcl/references";
import { rangeOf } from "@millwright/hcl/source-file";
import { traversalText } from "@millwright/hcl/traversal-text";
import { decodeProviders } from "../load/call.ts";
import { Constants } from "../load/constants.ts";
import { decodeRule, validName } from "../load/variable.ts";
import { parseAddress } from "../parse-address.ts";
import type { Files } from "../ports.ts";
import { readBody, readMockProvider } from "./read-mock.ts";
import { addOverride, isOverride, keywordOf, overrideBlocks } from "./read-override.ts";
import type { Override, TestFile, TestPlanOptions, TestProvider, TestRun } from "./test-file.ts";

const optional = (name: string) => ({ name, required: false });

/** Reads a test file. There is always one; with errors it is for looking at only. */
export function readTestFile(files: Files, path: string): Diagnosed<TestFile> {
  const { body, diagnostics: found } = readBody(files, path);
  const diagnostics: Diagnostic[] = [...found];
  const { value: content, diagnostics: wrong } = contentOf(body, {
    attributes: [],
    blocks: [
      { type: "run", labelNames: ["name"] },
      { type: "variables", labelNames: [] },
      { type: "provider", labelNames: ["name"] },
      { type: "mock_provider", labelNames: ["name"] },
      { type: "test", labelNames: [] },
      ...overrideBlocks,
    ],
  });
  diagnostics.push(...wrong);
  const reader = new Reader(diagnostics, files);
  for (const block of content.blocks) reader.read(block);
  return { value: reader.finish(path), diagnostics };
}

class Reader {
  readonly #constants: Constants;
  readonly #files: Files;
  readonly #runs: Block[] = [];
  readonly #ranges = new Map<string, SourceRange>();
  readonly #providers = new Map<string, TestProvider>();
  readonly #overrides: Override[] = [];
  #variables: ReadonlyMap<string, Expression> | undefined;
  #parallel = false;

  constructor(diagnostics: Diagnostic[], files: Files) {
    this.#constants = new Constants(diagnostics);
    this.#files = files;
  }

  read(block: Block): void {
    switch (block.type) {
      case "run":
        if (this.#isNew("run", block.labels[0]!, block)) this.#runs.push(block);
        return;
      case "variables":
        if (this.#variables) this.#refuse('Multiple "variables" blocks', "Put all variables into one block.", block);
        else this.#variables = readVariables(block, this.#constants);
        return;
      case "provider":
        return this.#provider(block);
      case "mock_provider": {
        const mock = readMockProvider(block, this.#constants, this.#files);
        const name = mock.alias === undefined ? mock.localName : `${mock.localName}.${mock.alias}`;
        if (this.#isNew("provider", name, block)) this.#providers.set(name, { kind: "mock", mock });
        return;
      }
      case "test":
        this.#parallel = this.#flags(block, ["parallel"]).get("parallel") ?? false;
        return;
      default: {
        addOverride(block, this.#overrides, this.#constants);
      }
    }
  }

  finish(path: string): TestFile {
    return {
      path,
      runs: this.#runs.map((block) => readRun(block, this.#constants, this.#parallel)),
      variables: this.#variables ?? new Map(),
      providers: this.#providers,
      overrides: this.#overrides,
      parallel: this.#parallel,
    };
  }

  #provider(block: Block): void {
    const { value, diagnostics } = partialContentOf(block.body, { attributes: [optional("alias")], blocks: [] });
    this.#constants.diagnostics.push(...diagnostics);
    const alias = this.#constants.text(value.content.attributes.get("alias"));
    const localName = block.labels[0]!;
    const name = alias === undefined ? localName : `${localName}.${alias}`;
    if (!this.#isNew("provider", name, block)) return;
    const range = rangeOf(block.header);
    const provider = { localName, body: value.rest, range, ...(alias === undefined ? {} : { alias }) };
    this.#providers.set(name, { kind: "real", block: provider });
  }

  #flags(block: Block, names: readonly string[]): ReadonlyMap<string, boolean> {
    const { value: content, diagnostics } = contentOf(block.body, { attributes: names.map(optional), blocks: [] });
    this.#constants.diagnostics.push(...diagnostics);
    const flags = names.map((name) => [name, this.#constants.flag(content.attributes.get(name)) ?? false] as const);
    return new Map(flags);
  }

  #isNew(what: "run" | "provider", name: string, block: Block): boolean {
    if (what === "run" && !validName(name)) {
      const detail =
        "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.";
      const subject = rangeOf(block.labelNodes[0]!);
      this.#constants.diagnostics.push(errorDiagnostic("Invalid run block name", detail, { subject }));
      return false;
    }
    const first = this.#ranges.get(`${what} ${name}`);
    if (!first) {
      this.#ranges.set(`${what} ${name}`, rangeOf(block.header));
      return true;
    }
    const at = `${first.filename}:${first.start.line},${first.start.column}-${first.end.column}`;
    if (what === "run")
      this.#refuse(
        'Duplicate "run" block names',
        `This test file already has a run named ${name} block defined at ${at}.`,
        block,
      );
    else this.#refuse("Duplicate provider block", `This file already has a provider ${name} defined at ${at}.`, block);
    return false;
  }

  #refuse(summary: string, detail: string, block: Block): void {
    this.#constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(block.header) }));
  }
}

function readVariables(block: Block, constants: Constants): ReadonlyMap<string, Expression> {
  const { value, diagnostics } = justAttributes(block.body);
  constants.diagnostics.push(...diagnostics);
  return new Map([...value].map(([name, attribute]) => [name, attribute.expression]));
}

function readRun(block: Block, constants: Constants, parallel: boolean): TestRun {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: ["command", "expect_failures", "providers", "state_key", "parallel"].map(optional),
    blocks: [
      { type: "plan_options", labelNames: [] },
      { type: "assert", labelNames: [] },
      { type: "variables", labelNames: [] },
      { type: "module", labelNames: [] },
      ...overrideBlocks,
    ],
  });
  constants.diagnostics.push(...diagnostics);
  const of = (type: string) => content.blocks.filter((inner) => inner.type === type);
  const single = (type: string) => {
    const [first, second] = of(type);
    if (second) {
      const detail = `A run block has at most one ${type} block: put all into one.`;
      constants.diagnostics.push(
        errorDiagnostic(`Multiple "${type}" blocks`, detail, { subject: rangeOf(second.header) }),
      );
    }
    return first;
  };
  const variables = single("variables");
  const module = single("module");
  const options = single("plan_options");
  const source = module && readSource(module, constants);
  const stateKey = constants.text(content.attributes.get("state_key"));
  const overrides: Override[] = [];
  for (const inner of content.blocks) if (isOverride(inner)) addOverride(inner, overrides, constants);
  return {
    name: block.labels[0]!,
    command: readCommand(content.attributes.get("command"), constants),
    variables: variables ? readVariables(variables, constants) : new Map(),
    ...(source ? { module: source } : {}),
    providers: decodeProviders(content.attributes.get("providers"), constants),
    options: options ? readOptions(options, constants) : defaultOptions,
    asserts: of("assert").map((rule) => readAssert(rule, constants)),
    expectFailures: constants.traversals(content.attributes.get("expect_failures")),
    overrides,
    ...(stateKey === undefined ? {} : { stateKey }),
    parallel: constants.flag(content.attributes.get("parallel")) ?? parallel,
    range: rangeOf(block.header),
  };
}

function readAssert(block: Block, constants: Constants): TestRun["asserts"][number] {
  const rule = decodeRule(block, constants);
  const isThere = block.body.json !== undefined || block.body.attributes.has("condition");
  if (isThere && referencesIn(rule.condition).length === 0) {
    const detail =
      "The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.";
    const subject = rangeOf(rule.condition);
    constants.diagnostics.push(errorDiagnostic("Invalid assert expression", detail, { subject }));
  }
  return rule;
}

function readCommand(attribute: Attribute | undefined, constants: Constants): TestRun["command"] {
  const word = keywordOf(attribute);
  if (!attribute || word === "plan" || word === "apply") return word === "plan" ? "plan" : "apply";
  const detail = 'The "command" argument requires one of the following keywords without quotes: apply or plan.';
  const subject = rangeOf(attribute.expression);
  constants.diagnostics.push(errorDiagnostic('Invalid "command" keyword', detail, { subject }));
  return "apply";
}

function readSource(block: Block, constants: Constants): TestRun["module"] {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: [{ name: "source", required: true }, optional("version")],
    blocks: [],
  });
  constants.diagnostics.push(...diagnostics);
  const attribute = content.attributes.get("source");
  const source = constants.text(attribute);
  const version = constants.text(content.attributes.get("version"));
  if (!attribute || source === undefined) return undefined;
  return { source, ...(version === undefined ? {} : { version }), range: rangeOf(attribute.expression) };
}

const defaultOptions: TestPlanOptions = { mode: "normal", refresh: true, targets: [], replace: [] };

function readOptions(block: Block, constants: Constants): TestPlanOptions {
  const { value: content, diagnostics } = contentOf(block.body, {
    attributes: ["mode", "refresh", "replace", "target"].map(optional),
    blocks: [],
  });
  constants.diagnostics.push(...diagnostics);
  const mode = content.attributes.get("mode");
  const word = keywordOf(mode);
  const refused = (attribute: Attribute, summary: string, detail: string) =>
    constants.diagnostics.push(errorDiagnostic(summary, detail, { subject: rangeOf(attribute.expression) }));
  if (mode && word !== "normal" && word !== "refresh-only")
    refused(mode, 'Invalid "mode" keyword', "The mode of plan_options is one of the words normal and refresh-only.");
  const refresh = content.attributes.get("refresh");
  const wanted = constants.flag(refresh) ?? true;
  if (refresh && !wanted && word === "refresh-only") {
    refused(
      refresh,
      "Incompatible plan options",
      'The "refresh" option cannot be set to false when running a test in "refresh-only" mode.',
    );
  }
  return {
    mode: word === "refresh-only" ? "refresh-only" : "normal",
    refresh: wanted,
    targets: readAddresses(content.attributes.get("target"), constants),
    replace: readAddresses(content.attributes.get("replace"), constants),
  };
}

function readAddresses(attribute: Attribute | undefined, constants: Constants): string[] {
  return constants.traversals(attribute).flatMap((traversal) => {
    const text = traversalText(traversal);
    if (parseAddress(text)) return [text];
    const detail = `"${text}" is not the address of a module, a resource or an instance.`;
    constants.diagnostics.push(errorDiagnostic("Invalid address", detail, { subject: rangeOf(traversal) }));
    return [];
  });
}

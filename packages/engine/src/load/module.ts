import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, warningDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { SourceRange } from "@millwright/core/source";
import { wholeFile } from "@millwright/core/source";
import type { Block, Body, Expression } from "@millwright/hcl/ast";
import { contentOf, justAttributes, partialContentOf } from "@millwright/hcl/body-content";
import { evaluate } from "@millwright/hcl/evaluate";
import { emptyScope } from "@millwright/hcl/scope";
import { rangeOf } from "@millwright/hcl/source-file";
import type { ImportBlock, MovedBlock, RemovedBlock } from "../refactor/blocks.ts";
import type {
  BackendBlock,
  EncryptionBlock,
  CheckBlock,
  Local,
  Module,
  ModuleCall,
  Output,
  ProviderBlock,
  ProviderMetaBlock,
  ProviderRequirement,
  Resource,
  Variable,
} from "../configuration.ts";
import { resourceText } from "../addresses.ts";
import { Constants } from "./constants.ts";
import { decodeCall } from "./call.ts";
import { decodeCheck } from "./check-block.ts";
import { decodeImport } from "./import-block.ts";
import { decodeMoved } from "./moved-block.ts";
import { decodeRemoved } from "./removed-block.ts";
import { decodeRequiredProviders } from "./required-providers.ts";
import { checkEdition, checkExperiments, checkLanguageBlock } from "./language-block.ts";
import { badProviderName } from "./provider-name.ts";
import { foreignBody, reservedInProvider } from "./reserved.ts";
import { decodeResource } from "./resource.ts";
import { decodeOutput, decodeVariable, validName } from "./variable.ts";

/** A module's own declarations, before its callees are known. */
export type Declarations = Omit<Module, "path" | "names" | "folder" | "functions">;

const topLevel: Readonly<Record<string, readonly string[]>> = {
  terraform: [],
  variable: ["name"],
  locals: [],
  output: ["name"],
  module: ["name"],
  resource: ["type", "name"],
  data: ["type", "name"],
  ephemeral: ["type", "name"],
  provider: ["name"],
  moved: [],
  removed: [],
  import: [],
  check: ["name"],
  language: [],
};

/** Blocks that later versions of Terraform have: named, so that nobody looks for a slip of the pen. */
const later: Readonly<Record<string, string>> = {
  action: 'Blocks of type "action" came with Terraform 1.14',
  list: 'Blocks of type "list" came with Terraform 1.14, for files named *.tfquery.hcl,',
};

const laterLabels: Readonly<Record<string, readonly string[]>> = {
  action: ["type", "name"],
  list: ["type", "name"],
};

/** What a second one of a kind is called, where it is not a declaration. */
const duplicateNouns: Readonly<Record<string, string>> = {
  "module call": "",
  output: "definition",
  "local value": "definition",
};

/** The blocks of one file; in JSON that is what the names of the language's blocks lead to. */
export function topLevelBlocks(body: Body): Diagnosed<readonly Block[]> {
  if (body.json) {
    const blocks = Object.entries({ ...topLevel, ...laterLabels }).map(([type, labelNames]) => ({ type, labelNames }));
    const { value, diagnostics } = contentOf(body, { attributes: [], blocks });
    return { value: value.blocks, diagnostics };
  }
  const diagnostics = [...body.attributes.values()].map(({ name, nameNode }) => {
    const detail = `An argument named "${name}" is not expected here: a file of a configuration holds blocks alone.`;
    return errorDiagnostic("Unsupported argument", detail, { subject: rangeOf(nameNode) });
  });
  return { value: body.blocks, diagnostics };
}

/** Reads a module's blocks (all files together, overrides laid over) into declarations. */
export function decodeModule(blocks: readonly Block[], folder: string): Diagnosed<Declarations> {
  const diagnostics: Diagnostic[] = [];
  const reader = new ModuleReader(diagnostics, folder);
  for (const block of blocks) reader.read(block);
  return { value: reader.finish(), diagnostics };
}

class ModuleReader {
  readonly #diagnostics: Diagnostic[];
  readonly #constants: Constants;
  readonly #folder: string;
  readonly #variables = new Map<string, Variable>();
  readonly #locals = new Map<string, Local>();
  readonly #outputs = new Map<string, Output>();
  readonly #resources = new Map<string, Resource>();
  readonly #calls = new Map<string, ModuleCall>();
  readonly #providers = new Map<string, ProviderBlock>();
  readonly #requirements = new Map<string, ProviderRequirement>();
  readonly #versions: { constraint: string; range: SourceRange }[] = [];
  readonly #checks = new Map<string, CheckBlock>();
  readonly #moved: MovedBlock[] = [];
  readonly #removed: RemovedBlock[] = [];
  readonly #imports: ImportBlock[] = [];
  #backend: BackendBlock | undefined;
  #requirementsRange: SourceRange | undefined;
  readonly #providerMeta: ProviderMetaBlock[] = [];
  #encryption: EncryptionBlock | undefined;

  constructor(diagnostics: Diagnostic[], folder: string) {
    this.#diagnostics = diagnostics;
    this.#constants = new Constants(diagnostics);
    this.#folder = folder;
  }

  read(block: Block): void {
    if (!this.#checkHeader(block)) return;
    const [name] = block.labels;
    switch (block.type) {
      case "terraform":
        return this.#terraform(block);
      case "language":
        return checkLanguageBlock(block, this.#constants);
      case "locals":
        return this.#readLocals(block);
      case "variable":
        return this.#add(this.#variables, "variable", name!, block, decodeVariable(block, this.#constants));
      case "output":
        return this.#add(this.#outputs, "output", name!, block, decodeOutput(block, this.#constants));
      case "module":
        return this.#add(this.#calls, "module call", name!, block, decodeCall(block, this.#constants));
      case "provider":
        return this.#provider(block);
      case "moved":
        return keep(this.#moved, decodeMoved(block, this.#constants));
      case "removed":
        return keep(this.#removed, decodeRemoved(block, this.#constants));
      case "import":
        return keep(this.#imports, decodeImport(block, this.#constants));
      case "check": {
        const { check, data } = decodeCheck(block, this.#constants);
        this.#add(this.#checks, "check block", name!, block, check);
        return data && this.#resource(block, data);
      }
      default:
        return this.#resource(block, decodeResource(block, this.#constants));
    }
  }

  #resource(block: Block, resource: Resource): void {
    const { mode, type } = resource.address;
    const what = `${mode === "data" ? "data" : "resource"} "${type}"`;
    this.#add(this.#resources, what, resourceText(resource.address), block, resource);
  }

  finish(): Declarations {
    return {
      variables: this.#variables,
      locals: this.#locals,
      outputs: this.#outputs,
      resources: this.#resources,
      calls: this.#calls,
      providers: this.#providers,
      requiredProviders: this.#requirements,
      requiredVersions: this.#versions,
      providerMeta: this.#providerMeta,
      checks: this.#checks,
      moved: this.#moved,
      removed: this.#removed,
      imports: this.#imports,
      ...(this.#backend ? { backend: this.#backend } : {}),
      ...(this.#encryption ? { encryption: this.#encryption } : {}),
      range: wholeFile(this.#folder),
    };
  }

  #checkHeader(block: Block): boolean {
    const subject = rangeOf(block.typeNode);
    const missing = later[block.type];
    if (missing !== undefined) {
      this.#diagnostics.push(
        errorDiagnostic("Unsupported block type", `${missing} and are not supported here. Remove the block.`, {
          subject,
        }),
      );
      return false;
    }
    const labels = topLevel[block.type];
    if (block.type === "required_providers") {
      const detail = 'A "required_providers" block must be nested inside a "terraform" block.';
      this.#diagnostics.push(errorDiagnostic("Invalid required_providers block", detail, { subject }));
      return false;
    }
    if (!labels) {
      const near = similar(block.type, Object.keys(topLevel));
      this.#diagnostics.push(
        errorDiagnostic(
          "Unsupported block type",
          `Blocks of type "${block.type}" are not expected here.${near ? ` Did you mean "${near}"?` : ""}`,
          { subject },
        ),
      );
      return false;
    }
    if (block.labels.length === labels.length) return this.#checkNames(block);
    const extra = block.labelNodes[labels.length];
    this.#diagnostics.push(
      extra
        ? errorDiagnostic(
            `Extraneous label for ${block.type}`,
            labels.length === 0
              ? `No labels are expected for ${block.type} blocks.`
              : `Only ${labels.length} labels (${labels.join(", ")}) are expected for ${block.type} blocks.`,
            { subject: rangeOf(extra) },
          )
        : errorDiagnostic(
            `Missing ${labels[block.labels.length]} for ${block.type}`,
            `All ${block.type} blocks must have ${labels.length} label${labels.length === 1 ? "" : "s"} (${labels.join(", ")}).`,
            { subject: rangeOf(block.openBrace), context: rangeOf(block.header) },
          ),
    );
    return false;
  }

  #checkNames(block: Block): boolean {
    const wrong = block.labels.findIndex((label) => !validName(label));
    if (wrong < 0) return true;
    this.#diagnostics.push(
      errorDiagnostic(
        `Invalid ${block.type} name`,
        "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.",
        { subject: rangeOf(block.labelNodes[wrong]!) },
      ),
    );
    return false;
  }

  #add<T extends { readonly range: SourceRange }>(
    map: Map<string, T>,
    what: string,
    key: string,
    block: Block,
    item: T,
  ): void {
    const known = map.get(key);
    if (known) this.#duplicate(what, block.labels.at(-1)!, known.range, rangeOf(block.header));
    else map.set(key, item);
  }

  #duplicate(what: string, name: string, first: SourceRange, subject: SourceRange): void {
    const capital = what[0]!.toUpperCase() + what.slice(1);
    const noun = what.includes('"') ? "configuration" : (duplicateNouns[what] ?? "declaration");
    this.#diagnostics.push(
      errorDiagnostic(
        `Duplicate ${what} ${noun}`.trimEnd(),
        `${capital} named "${name}" was already declared at ${first.filename}:${first.start.line},${first.start.column}. Names must be unique within a module: rename one of the two.`,
        { subject },
      ),
    );
  }

  #readLocals(block: Block): void {
    const { value, diagnostics } = justAttributes(block.body);
    this.#diagnostics.push(...diagnostics);
    for (const attribute of value.values()) {
      const range = rangeOf(attribute);
      const known = this.#locals.get(attribute.name);
      if (known) this.#duplicate("local value", attribute.name, known.range, range);
      else this.#locals.set(attribute.name, { name: attribute.name, expression: attribute.expression, range });
    }
  }

  #isSecondOfRequirements(block: Block): boolean {
    const first = this.#requirementsRange;
    this.#requirementsRange ??= rangeOf(block.header);
    if (!first) return false;
    const detail = `A module may have only one required providers configuration. The required providers were previously configured at ${first.filename}:${first.start.line},${first.start.column}. Put all of them there.`;
    const subject = rangeOf(block.header);
    this.#diagnostics.push(errorDiagnostic("Duplicate required providers configuration", detail, { subject }));
    return true;
  }

  #readBackend({ labels: [type = ""], body, header }: Block): void {
    const range = rangeOf(header);
    const first = this.#backend?.range;
    if (!first) this.#backend = { type, body, range };
    else {
      const detail = `A module may have only one backend configuration. The backend was previously configured at ${first.filename}:${first.start.line},${first.start.column}. Remove one of the two.`;
      this.#diagnostics.push(errorDiagnostic("Duplicate backend configuration", detail, { subject: range }));
    }
  }

  #readProviderMeta({ labels: [localName = ""], body, header }: Block): void {
    const range = rangeOf(header);
    const known = this.#providerMeta.find((block) => block.localName === localName);
    if (known) return this.#duplicate("provider_meta block", localName, known.range, range);
    const bad = badProviderName(localName, range);
    if (bad) this.#diagnostics.push(bad);
    for (const { expression } of justAttributes(body).value.values())
      this.#diagnostics.push(...evaluate(expression, emptyScope).diagnostics);
    this.#providerMeta.push({ localName, body, range });
  }

  #provider(block: Block): void {
    const localName = block.labels[0]!;
    const bad = badProviderName(localName, rangeOf(block.labelNodes[0]!));
    if (bad) {
      this.#diagnostics.push(bad);
      return;
    }
    const { value, diagnostics } = partialContentOf(block.body, {
      attributes: [
        { name: "alias", required: false },
        { name: "for_each", required: false },
        { name: "version", required: false },
      ],
      blocks: [],
    });
    this.#diagnostics.push(...diagnostics);
    const alias = this.#constants.text(value.content.attributes.get("alias"));
    if (alias !== undefined && !validName(alias)) {
      const detail = `An alias must be a valid name. A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes; ${JSON.stringify(alias)} is none.`;
      const subject = rangeOf(value.content.attributes.get("alias")!.expression);
      this.#diagnostics.push(errorDiagnostic("Invalid provider configuration alias", detail, { subject }));
    }
    const version = value.content.attributes.get("version");
    if (version) {
      this.#diagnostics.push(
        warningDiagnostic(
          "Version constraints inside provider configuration blocks are deprecated",
          "To constrain the provider version, use the required_providers block inside a terraform block.",
          { subject: rangeOf(version) },
        ),
      );
    }
    const range = rangeOf(block.header);
    const forEach = value.content.attributes.get("for_each")?.expression;
    const provider = {
      localName,
      body: foreignBody(value.rest, reservedInProvider, this.#constants),
      range,
      ...(alias === undefined ? {} : { alias }),
      ...(forEach ? { forEach } : {}),
    };
    if (forEach && alias === undefined) this.#diagnostics.push(withoutAlias(forEach));
    const key = alias === undefined ? localName : `${localName}.${alias}`;
    const known = this.#providers.get(key);
    if (!known) this.#providers.set(key, provider);
    else {
      this.#diagnostics.push(
        errorDiagnostic(
          "Duplicate provider configuration",
          `A ${alias === undefined ? "default (non-aliased) " : ""}provider configuration for "${key}" was already given at ${known.range.filename}:${known.range.start.line},${known.range.start.column}. If multiple configurations are required, set the "alias" argument for alternative configurations.`,
          { subject: range },
        ),
      );
    }
  }

  #terraform(block: Block): void {
    const { value: content, diagnostics } = contentOf(block.body, {
      attributes: [
        { name: "required_version", required: false },
        { name: "experiments", required: false },
        { name: "language", required: false },
      ],
      blocks: [
        { type: "backend", labelNames: ["type"] },
        { type: "cloud", labelNames: [] },
        { type: "encryption", labelNames: [] },
        { type: "required_providers", labelNames: [] },
        { type: "provider_meta", labelNames: ["provider"] },
      ],
    });
    this.#diagnostics.push(...diagnostics);
    const version = content.attributes.get("required_version");
    const constraint = this.#constants.text(version);
    if (version && constraint !== undefined) this.#versions.push({ constraint, range: rangeOf(version.expression) });
    checkEdition(content.attributes.get("language"), "TF2021", this.#constants);
    checkExperiments(content.attributes.get("experiments"), this.#constants);
    for (const inner of content.blocks) {
      if (inner.type === "required_providers") {
        if (!this.#isSecondOfRequirements(inner)) decodeRequiredProviders(inner, this.#constants, this.#requirements);
      } else if (inner.type === "backend") this.#readBackend(inner);
      else if (inner.type === "provider_meta") this.#readProviderMeta(inner);
      else if (inner.type === "encryption") this.#encryption = { body: inner.body, range: rangeOf(inner.header) };
      else this.#diagnostics.push(cloudRefused(rangeOf(inner.header)));
    }
  }
}

function keep<T>(all: T[], item: T | undefined): void {
  if (item) all.push(item);
}

function cloudRefused(subject: SourceRange): Diagnostic {
  const detail =
    'A "cloud" block keeps states and runs in HCP Terraform, a hosted service that this program does not work with. Keep the state in a backend instead, such as backend "local" {}, "http", "pg", "consul" or "s3"; a state that is there already is fetched by "terraform state pull" and taken in by "state push".';
  return errorDiagnostic("HCP Terraform is not supported", detail, { subject });
}

function withoutAlias(forEach: Expression): Diagnostic {
  const detail =
    'A provider configuration with for_each has several instances, which are named by its alias and their keys: it needs the argument "alias".';
  return errorDiagnostic("Provider configuration for_each requires alias", detail, { subject: rangeOf(forEach) });
}

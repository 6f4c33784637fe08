import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { SourceRange } from "@millwright/core/source";
import type { Attribute, Block, Body, Expression } from "@millwright/hcl/ast";
import { contentOf, justAttributes } from "@millwright/hcl/body-content";
import { rangeOf } from "@millwright/hcl/source-file";

/** An `encryption` block: OpenTofu's, https://opentofu.org/docs/language/state/encryption/. */
export interface EncryptionConfig {
  /** By address, such as `key_provider.pbkdf2.main`. */
  readonly keyProviders: ReadonlyMap<string, Part>;
  /** By address, such as `method.aes_gcm.main`. */
  readonly methods: ReadonlyMap<string, Part>;
  readonly state?: Target;
  readonly plan?: Target;
  /** For `terraform_remote_state`; `targets` are by the names of data sources. */
  readonly remote?: { readonly default?: Target; readonly targets: ReadonlyMap<string, Target> };
}

/** A key provider or a method as it is written. */
export interface Part {
  readonly type: string;
  readonly address: string;
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly range: SourceRange;
}

/** How one kind of file is encrypted: the first method is that of writing, the others are tried when reading. */
export interface Target {
  readonly methods: readonly string[];
  /** True in one of them forbids to write in clear. */
  readonly enforced: readonly Expression[];
  readonly range: SourceRange;
}

/** Reads `encryption` blocks, the later laid over the earlier part by part: TF_ENCRYPTION over the configuration's. */
export function readEncryption(bodies: readonly Body[]): Diagnosed<EncryptionConfig> {
  const diagnostics: Diagnostic[] = [];
  const reader = new Reader(diagnostics);
  for (const body of bodies) reader.read(body);
  return { value: reader.finish(), diagnostics };
}

class Reader {
  readonly #diagnostics: Diagnostic[];
  readonly #keyProviders = new Map<string, Part>();
  readonly #methods = new Map<string, Part>();
  #state: Target | undefined;
  #plan: Target | undefined;
  #remoteDefault: Target | undefined;
  readonly #remotes = new Map<string, Target>();
  #hasRemote = false;

  constructor(diagnostics: Diagnostic[]) {
    this.#diagnostics = diagnostics;
  }

  read(body: Body): void {
    const { value, diagnostics } = contentOf(body, {
      attributes: [],
      blocks: [
        { type: "key_provider", labelNames: ["type", "name"] },
        { type: "method", labelNames: ["type", "name"] },
        { type: "state", labelNames: [] },
        { type: "plan", labelNames: [] },
        { type: "remote_state_data_sources", labelNames: [] },
      ],
    });
    this.#diagnostics.push(...diagnostics);
    for (const block of value.blocks) {
      if (block.type === "key_provider") this.#part(this.#keyProviders, block);
      else if (block.type === "method") this.#part(this.#methods, block);
      else if (block.type === "state") this.#state = laidOver(this.#state, this.#target(block));
      else if (block.type === "plan") this.#plan = laidOver(this.#plan, this.#target(block));
      else this.#remote(block);
    }
  }

  finish(): EncryptionConfig {
    return {
      keyProviders: this.#keyProviders,
      methods: this.#methods,
      ...(this.#state ? { state: this.#state } : {}),
      ...(this.#plan ? { plan: this.#plan } : {}),
      ...(this.#hasRemote
        ? { remote: { targets: this.#remotes, ...(this.#remoteDefault ? { default: this.#remoteDefault } : {}) } }
        : {}),
    };
  }

  #part(parts: Map<string, Part>, block: Block): void {
    const { value, diagnostics } = justAttributes(block.body);
    this.#diagnostics.push(...diagnostics);
    const [type = "", name = ""] = block.labels;
    const address = `${block.type}.${type}.${name}`;
    parts.set(address, { type, address, attributes: value, range: rangeOf(block.header) });
  }

  #remote(block: Block): void {
    this.#hasRemote = true;
    const { value, diagnostics } = contentOf(block.body, {
      attributes: [],
      blocks: [
        { type: "default", labelNames: [] },
        { type: "remote_state_data_source", labelNames: ["name"] },
      ],
    });
    this.#diagnostics.push(...diagnostics);
    for (const inner of value.blocks) {
      const target = this.#target(inner);
      const name = inner.labels[0] ?? "";
      if (inner.type === "default") this.#remoteDefault = laidOver(this.#remoteDefault, target);
      else this.#remotes.set(name, laidOver(this.#remotes.get(name), target));
    }
  }

  #target(block: Block): Target {
    const methods: string[] = [];
    const enforced: Expression[] = [];
    for (let at: Block | undefined = block; at; ) {
      const { value, diagnostics } = contentOf(at.body, {
        attributes: [
          { name: "method", required: false },
          { name: "enforced", required: false },
        ],
        blocks: [{ type: "fallback", labelNames: [] }],
      });
      this.#diagnostics.push(...diagnostics);
      const method = value.attributes.get("method");
      const address = method && this.#methodAddress(method.expression);
      if (address !== undefined) methods.push(address);
      const said = value.attributes.get("enforced");
      if (said) enforced.push(said.expression);
      at = value.blocks[0];
    }
    return { methods, enforced, range: rangeOf(block.header) };
  }

  #methodAddress(expression: Expression): string | undefined {
    const address = referenceText(expression);
    if (address?.startsWith("method.")) return address;
    const detail = "The method of a target is named by its address, such as method.aes_gcm.main.";
    this.#diagnostics.push(errorDiagnostic("Invalid encryption method", detail, { subject: rangeOf(expression) }));
    return undefined;
  }
}

// That it is enforced stays: TF_ENCRYPTION may name other methods, and not have the state in clear.
function laidOver(earlier: Target | undefined, later: Target): Target {
  if (!earlier) return later;
  const { methods, range } = later.methods.length > 0 ? later : earlier;
  return { methods, enforced: [...earlier.enforced, ...later.enforced], range };
}

/** The address that an expression is, such as `key_provider.pbkdf2.main`; undefined for any other expression. */
export function referenceText(expression: Expression): string | undefined {
  if (expression.kind === "templateWrap") return referenceText(expression.wrapped);
  if (expression.kind === "json" && expression.value.kind === "jsonString") {
    const text = expression.value.text.replace(/^\$\{(.*)\}$/, "$1");
    return /^(key_provider|method)\.[\w-]+\.[\w-]+$/.test(text) ? text : undefined;
  }
  if (expression.kind !== "scopeTraversal") return undefined;
  const { root, steps } = expression;
  const names = steps.map((step) => (step.kind === "attribute" ? step.name : undefined));
  return names.includes(undefined) ? undefined : [root.name, ...names].join(".");
}

/** The part that an address names; where there is none, what to say. */
export function partAt(parts: ReadonlyMap<string, Part>, address: string, subject: SourceRange): Part | Diagnostic {
  const part = parts.get(address);
  if (part) return part;
  const near = similar(address, parts.keys());
  const detail = `There is no ${address} in the encryption configuration.${near === undefined ? "" : ` Did you mean ${near}?`}`;
  return errorDiagnostic("Undefined part of the encryption", detail, { subject });
}

import { convert } from "@millwright/value/convert";
import { friendlyName } from "@millwright/value/friendly";
import { quote } from "@millwright/text/quote";
import { dynamicType, stringType } from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import { asArray, asMap, asString, isNull, nullValue, objectValue, tupleValue } from "@millwright/value/value";
import type { Document, Node, Pair, Scalar } from "yaml";
import type { Dialect } from "./dialect.ts";
import { yamlLibrary } from "./libraries.ts";
import type { ResolvedScalar } from "./yaml-scalar.ts";
import { resolveScalar } from "./yaml-scalar.ts";

export type DecodedYaml = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: string };

/**
 * The value of a YAML document, by the rules of the reference: its scalars as {@link resolveScalar} has them, keys made
 * strings, `<<` merged in the order it stands (in Terraform a mapping, in OpenTofu a sequence of mappings too), and of keys
 * that are there twice the last one. Faults in what the document says are placed as the reference places them: by lines
 * counted from zero, and not at all on the first one; faults in its syntax by lines counted from one.
 */
export function decodeYaml(source: string, dialect: Dialect): DecodedYaml {
  try {
    return { ok: true, value: new YamlDecoder(source, dialect).decode() };
  } catch (error) {
    if (error instanceof YamlFault) return { ok: false, error: error.message };
    throw error;
  }
}

/** Ends the reading; never leaves {@link decodeYaml}. */
class YamlFault extends Error {
  override readonly name = "YamlFault";
}

/** Collections more than this in each other are refused. */
const deepest = 1000;

const mapTag = "tag:yaml.org,2002:map";
const sequenceTag = "tag:yaml.org,2002:seq";

class YamlDecoder {
  readonly #source: string;
  readonly #dialect: Dialect;
  readonly #yaml = yamlLibrary();
  readonly #lines = new this.#yaml.LineCounter();
  readonly #anchors = new Map<string, Value>();
  /** Anchors whose value is being read. */
  readonly #open = new Set<string>();
  #depth = 0;

  constructor(source: string, dialect: Dialect) {
    this.#source = source;
    this.#dialect = dialect;
  }

  decode(): Value {
    const control = /[^\t\n\r -~\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u.exec(
      this.#source.replace(/^\ufeff/, ""),
    );
    if (control) throw new YamlFault("control characters are not allowed");
    const version = /^(?:(?:%(?!YAML)|#)[^\n]*\n|\s*\n)*%YAML[ \t]+(\S+)/.exec(this.#source)?.[1];
    if (version !== undefined && version !== "1.1") throw new YamlFault("found incompatible YAML document");
    const documents = this.#yaml.parseAllDocuments(this.#source, {
      schema: "failsafe",
      version: "1.1",
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "silent",
      lineCounter: this.#lines,
    });
    if ("empty" in documents) throw new YamlFault(`on line ${this.#lastLine()}, column 1: missing start of document`);
    const [document, further] = documents;
    this.#checkSyntax(document!);
    const value = this.#node(document!.contents as Node | null);
    if (further) this.#fail("unexpected extra content after value", further.range[0]);
    return value;
  }

  #lastLine(): number {
    return Math.max(1, this.#source.split("\n").length - 1);
  }

  #checkSyntax(document: Document): void {
    const [error] = document.errors;
    if (!error) return;
    const message = error.message.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
    if (/call stack/.test(message)) throw new YamlFault("exceeded max depth");
    const { line, col } = this.#lines.linePos(error.pos[0]);
    throw new YamlFault(`on line ${line}, column ${col}: ${message}`);
  }

  /** The reference counts lines from zero here, and leaves the place out on the first one. */
  #fail(message: string, offset: number | undefined): never {
    const { line, col } = this.#lines.linePos(offset ?? 0);
    throw new YamlFault(line <= 1 ? message : `on line ${line - 1}, column ${col}: ${message}`);
  }

  #node(node: Node | null): Value {
    if (node === null) return nullValue(dynamicType);
    if (this.#depth >= deepest) throw new YamlFault("exceeded max depth");
    this.#depth++;
    const value = this.#nodeHere(node);
    this.#depth--;
    return value;
  }

  #nodeHere(node: Node): Value {
    if (this.#yaml.isAlias(node)) return this.#alias(node.source, node);
    const anchor =
      this.#yaml.isScalar(node) || this.#yaml.isMap(node) || this.#yaml.isSeq(node) ? node.anchor : undefined;
    if (anchor === undefined) return this.#content(node);
    this.#open.add(anchor);
    const value = this.#content(node);
    this.#open.delete(anchor);
    this.#anchors.set(anchor, value);
    return value;
  }

  #alias(name: string, node: Node): Value {
    if (this.#open.has(name)) {
      this.#fail(`cannot refer to anchor ${quote(name)} from inside its own definition`, node.range?.[0]);
    }
    return this.#anchors.get(name) ?? this.#fail(`reference to undefined anchor ${quote(name)}`, node.range?.[0]);
  }

  #content(node: Node): Value {
    if (this.#yaml.isScalar(node)) return this.#scalar(node);
    const tag = explicitTag(node);
    if (this.#yaml.isMap(node)) {
      if (tag !== "" && tag !== mapTag) this.#fail(`can't interpret mapping as ${tag}`, node.range?.[0]);
      return this.#mapping(node.items as readonly Pair<Node | null, Node | null>[]);
    }
    if (!this.#yaml.isSeq(node)) return nullValue(dynamicType);
    if (tag !== "" && tag !== sequenceTag) this.#fail(`can't interpret sequence as ${tag}`, node.range?.[0]);
    return tupleValue(node.items.map((item) => this.#node(item as Node | null)));
  }

  #scalar(node: Scalar): Value {
    const resolved = this.#resolve(node);
    return resolved.ok ? resolved.value : this.#fail(resolved.error, node.range?.[0]);
  }

  #resolve(node: Scalar): ResolvedScalar {
    const isQuoted = node.type === this.#yaml.Scalar.QUOTE_DOUBLE || node.type === this.#yaml.Scalar.QUOTE_SINGLE;
    const isBlock = node.type === this.#yaml.Scalar.BLOCK_LITERAL || node.type === this.#yaml.Scalar.BLOCK_FOLDED;
    const style = isQuoted ? "quoted" : isBlock ? "block" : "plain";
    const text = String(node.value ?? "");
    // Without a line break at the end of the document, a block that ends there has none either.
    const endsShort = isBlock && node.range?.[1] === this.#source.length && !this.#source.endsWith("\n");
    return resolveScalar({ text: endsShort ? text.replace(/\n$/, "") : text, tag: explicitTag(node), style });
  }

  #mapping(pairs: readonly Pair<Node | null, Node | null>[]): Value {
    const entries = new Map<string, Value>();
    for (const { key, value } of pairs) {
      if (this.#isMergeKey(key)) this.#merge(this.#node(value), key!, entries);
      else entries.set(this.#key(key), this.#node(value));
    }
    return objectValue(entries);
  }

  /** Only OpenTofu knows the tag. */
  #isMergeKey(key: Node | null): boolean {
    if (!this.#yaml.isScalar(key)) return false;
    const tag = explicitTag(key);
    return tag === "" ? key.value === "<<" : tag === "tag:yaml.org,2002:merge" && this.#dialect === "opentofu";
  }

  #key(node: Node | null): string {
    if (node !== null && !this.#yaml.isScalar(node))
      this.#fail("only strings are allowed as mapping keys", node.range?.[0]);
    const resolved: ResolvedScalar = node === null ? { ok: true, value: nullValue(dynamicType) } : this.#resolve(node);
    // The reference does not say where a wrong key is.
    if (!resolved.ok) throw new YamlFault(resolved.error);
    if (isNull(resolved.value)) this.#fail("mapping key cannot be null", node?.range?.[0]);
    const converted = convert(resolved.value, stringType);
    if (!converted.ok) this.#fail("only strings are allowed as mapping keys", node?.range?.[0]);
    return asString(converted.value);
  }

  #merge(value: Value, key: Node, entries: Map<string, Value>): void {
    const { kind } = value.type;
    const place = key.range?.[0];
    if (kind === "object" && !isNull(value)) {
      for (const [name, inside] of asMap(value)) entries.set(name, inside);
    } else if (kind === "tuple" && this.#dialect === "opentofu") {
      for (const element of asArray(value)) {
        const { type } = element;
        if (type.kind !== "object")
          this.#fail(`cannot merge ${friendlyName(type)} (from sequence) into mapping`, place);
        this.#merge(element, key, entries);
      }
    } else this.#fail(`cannot merge ${friendlyName(value.type)} into mapping`, place);
  }
}

/** The tag in its long form, or empty where there is none. */
function explicitTag(node: Node): string {
  return "tag" in node && typeof node.tag === "string" ? node.tag : "";
}

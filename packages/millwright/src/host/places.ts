import { SourceMap } from "node:module";
import type { AnyNode, CallExpression } from "acorn";
import type { Node } from "@millwright/hcl/ast";
import type { SourceFile } from "@millwright/hcl/source-file";
import { sourceFile } from "@millwright/hcl/source-file";
import type { Frames } from "../runtime/expression.ts";
import type { Bundle } from "./bundle.ts";
import { extentOf, headerExtent, operandExtent } from "./extent.ts";
import type { Instrumented } from "./instrument.ts";
import { nodesIn } from "./instrument.ts";

/** A piece of the program, and the piece of a user's file it was made from. */
export interface Place {
  readonly node: Node;
  /** The piece in the bundle's tree, where the way into it is known. */
  readonly code?: AnyNode;
}

/** Leads from places in a running program back to the user's files. */
export class Places {
  readonly #map: SourceMap;
  readonly #files = new Map<string, SourceFile>();
  readonly #instrumented: Instrumented;
  readonly #bundleLines: readonly number[];
  readonly #instrumentedLines: readonly number[];
  readonly #fileLines = new Map<SourceFile, readonly number[]>();
  readonly #frames = new Map<string, Place | undefined>();
  readonly #places = new Map<AnyNode, Place>();
  #calls: Map<number, CallExpression> | undefined;

  /** `folder` is where the program's files are, for those who know them by longer names; empty or with a slash at its end. */
  constructor(bundle: Bundle, instrumented: Instrumented, folder = "") {
    const payload = JSON.parse(bundle.map) as ConstructorParameters<typeof SourceMap>[0];
    this.#map = new SourceMap(payload);
    payload.sources.forEach((name, i) =>
      this.#files.set(name, sourceFile(folder + name, payload.sourcesContent[i] ?? "")),
    );
    this.#instrumented = instrumented;
    this.#bundleLines = lineStarts(bundle.code);
    this.#instrumentedLines = lineStarts(instrumented.code);
  }

  /** The user's files, by their names relative to the folder. */
  get sources(): ReadonlyMap<string, string> {
    return new Map([...this.#files.values()].map((file) => [file.name, file.text]));
  }

  /** The innermost place in a file of the user's own; undefined where there is none. */
  frame(frames: Frames): Place | undefined {
    // A loop comes by the same place again and again.
    const key = frames.join(" ");
    if (!this.#frames.has(key)) this.#frames.set(key, this.#findFrame(frames));
    return this.#frames.get(key);
  }

  #findFrame(frames: Frames): Place | undefined {
    let other: Place | undefined;
    for (const [line, column] of frames) {
      const { offset, guarded } = this.#inBundle(line, column);
      const call = guarded ? undefined : this.#callsByPosition().get(offset);
      const start = this.#original(call?.start ?? offset);
      if (!start) continue;
      const end = guarded ? operandExtent(start.file.text, start.offset) : extentOf(start.file.text, start.offset);
      const place = { node: { file: start.file, start: start.offset, end }, ...(call ? { code: call } : {}) };
      if (!start.file.name.includes("node_modules/")) return place;
      other ??= place;
    }
    return other;
  }

  /** The header of a declaration: the call up to its own arguments. */
  header(place: Place): Node {
    const { file, start } = place.node;
    return { file, start, end: headerExtent(file.text, start) };
  }

  /** The place of an argument of the call at `place`, or of what is inside it; the nearest that is known. */
  inside(place: Place, from: readonly (string | number)[]): Place {
    const [index, ...way] = from;
    const call = place.code?.type === "CallExpression" ? place.code : undefined;
    const argument = call && typeof index === "number" ? call.arguments[index] : undefined;
    if (!argument) return { node: place.node };
    let found = this.of(argument, place.node);
    for (const step of way) found = this.step(found, step);
    return found;
  }

  /** One step into an object or list that is written out; the same place where it is not. */
  step(place: Place, step: string | number): Place {
    const literal = place.code && literalOf(place.code);
    if (literal?.type === "ArrayExpression" && typeof step === "number") {
      const hasSpread = literal.elements.some((element) => element?.type === "SpreadElement");
      const element = hasSpread ? null : literal.elements[step];
      return element ? this.of(element, place.node) : { node: place.node };
    }
    if (literal?.type !== "ObjectExpression") return { node: place.node };
    const property = literal.properties.find(
      (candidate) => candidate.type === "Property" && keyOf(candidate.key) === step && !candidate.computed,
    );
    return property?.type === "Property" ? this.of(property.value, place.node) : { node: place.node };
  }

  /** The name of a property that is written out in the object at `place`. */
  key(place: Place, name: string): Node {
    const literal = place.code && literalOf(place.code);
    if (literal?.type !== "ObjectExpression") return place.node;
    const property = literal.properties.find(
      (candidate) => candidate.type === "Property" && keyOf(candidate.key) === name && !candidate.computed,
    );
    return property?.type === "Property" ? this.of(property.key, place.node).node : place.node;
  }

  /** The place of a part of the program, where it stands in a file of the user's own. */
  own(code: AnyNode): Place | undefined {
    const start = this.#original(code.start);
    return start && !start.file.name.includes("node_modules/")
      ? { node: spanAt(start.file, start.offset), code }
      : undefined;
  }

  of(code: AnyNode, otherwise: Node): Place {
    const known = this.#places.get(code);
    if (known) return known;
    const start = this.#original(code.start);
    if (!start) return { node: otherwise, code };
    const place = { node: spanAt(start.file, start.offset), code };
    this.#places.set(code, place);
    return place;
  }

  /** The offset in the program as it was; `guarded` where the place is a guard, which stands before the operand it is of. */
  #inBundle(line: number, column: number): { readonly offset: number; readonly guarded: boolean } {
    const offset = (this.#instrumentedLines[line - 1] ?? 0) + column - 1;
    let shift = 0;
    for (const { at, text } of this.#instrumented.insertions) {
      if (at + shift > offset) break;
      if (at + shift + text.length > offset) return { offset: at, guarded: true };
      shift += text.length;
    }
    return { offset: offset - shift, guarded: false };
  }

  #original(offset: number): { readonly file: SourceFile; readonly offset: number } | undefined {
    const line = lineOf(this.#bundleLines, offset);
    const entry = this.#map.findEntry(line, offset - this.#bundleLines[line]!);
    if (!("originalSource" in entry)) return undefined;
    const file = this.#files.get(entry.originalSource);
    // The entry that imports all stacks, and the program's own module, are no files of the user.
    if (!file || entry.originalSource === "stacks" || entry.originalSource.startsWith("millwright:")) return undefined;
    let lines = this.#fileLines.get(file);
    if (!lines) this.#fileLines.set(file, (lines = lineStarts(file.text)));
    return { file, offset: (lines[entry.originalLine] ?? 0) + entry.originalColumn };
  }

  // A frame points at the name that is called: the whole callee, or the property of it.
  #callsByPosition(): Map<number, CallExpression> {
    if (this.#calls) return this.#calls;
    const calls = new Map<number, CallExpression>();
    for (const node of nodesIn(this.#instrumented.program)) {
      if (node.type !== "CallExpression") continue;
      const { callee } = node;
      calls.set(callee.type === "MemberExpression" ? callee.property.start : callee.start, node);
    }
    this.#calls = calls;
    return calls;
  }
}

/** The object or list that an expression comes to, as far as it is written out: functions give what they return. */
function literalOf(code: AnyNode): AnyNode {
  if (code.type === "ArrowFunctionExpression" || code.type === "FunctionExpression") {
    if (code.body.type !== "BlockStatement") return literalOf(code.body);
    const last = code.body.body.at(-1);
    return last?.type === "ReturnStatement" && last.argument ? literalOf(last.argument) : code;
  }
  // blocks(collection, (item) => ({ … })) stands where its function's object does.
  const body = code.type === "CallExpression" ? code.arguments[1] : undefined;
  return body?.type === "ArrowFunctionExpression" ? literalOf(body) : code;
}

function keyOf(key: AnyNode): string | undefined {
  if (key.type === "Identifier") return key.name;
  return key.type === "Literal" ? String(key.value) : undefined;
}

function spanAt(file: SourceFile, start: number): Node {
  return { file, start, end: extentOf(file.text, start) };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic, hasErrors } from "@millwright/core/diagnostics";
import { quote } from "@millwright/text/quote";
import { convert } from "@millwright/value/convert";
import type { Type } from "@millwright/value/types";
import {
  boolType,
  dynamicType,
  listType,
  mapType,
  numberType,
  objectType,
  setType,
  stringType,
  tupleType,
} from "@millwright/value/types";
import type { Value } from "@millwright/value/value";
import type { Expression, Node } from "./ast.ts";
import { evaluate } from "./evaluate.ts";
import { rangeOf } from "./source-file.ts";
import { between } from "./span.ts";
import type { StaticCall } from "./static-expression.ts";
import { callIn, elementsIn, keywordOf, pairsIn } from "./static-expression.ts";
import type { Defaults } from "./type-defaults.ts";

/** What a type expression says: the type to convert to, and the defaults to fill in before that (`applyDefaults`). */
export interface TypeConstraint {
  readonly type: Type;
  readonly defaults?: Defaults;
}

/**
 * Reads a type expression as ext/typeexpr of hashicorp/hcl does: `string`, `list(any)`,
 * `object({ a = optional(string, "x") })`. `any` stands for a type to be found out. Where there are errors, the parts at
 * fault are `dynamic`.
 */
export function typeConstraint(expression: Expression): Diagnosed<TypeConstraint> {
  const reader = new TypeReader("constraint");
  return { value: reader.read(expression), diagnostics: reader.diagnostics };
}

/** Reads an exact type: a constraint without `any` and `optional`. */
export function exactType(expression: Expression): Diagnosed<Type> {
  const reader = new TypeReader("exact");
  return { value: reader.read(expression).type, diagnostics: reader.diagnostics };
}

/**
 * As {@link typeConstraint}, with the short forms of old configurations: bare `list` and `map` have elements of any type.
 * Quoted ones (`"string"`, `"list"`, `"map"`) are an error that says what to write; the value is what they meant.
 */
export function declaredType(expression: Expression): Diagnosed<TypeConstraint> {
  const quoted = quotedText(expression);
  if (quoted !== undefined) return quotedType(quoted, expression);
  switch (keywordOf(expression)) {
    case "list":
      return { value: { type: listType(dynamicType) }, diagnostics: [] };
    case "map":
      return { value: { type: mapType(dynamicType) }, diagnostics: [] };
    default:
      return typeConstraint(expression);
  }
}

/** The text of a native quoted string without interpolation; JSON has no other way to write a type. */
function quotedText(expression: Expression): string | undefined {
  if (expression.kind !== "template" || expression.parts.length > 1) return undefined;
  const [part] = expression.parts;
  if (!part) return "";
  return part.kind === "literal" && typeof part.value.data === "string" ? part.value.data : undefined;
}

const quotedTypes: ReadonlyMap<string, { readonly type: Type; readonly instead: string }> = new Map([
  ["string", { type: stringType, instead: "string" }],
  ["list", { type: listType(dynamicType), instead: "list(string), where the elements are strings" }],
  ["map", { type: mapType(dynamicType), instead: "map(string), where the elements are strings" }],
]);

function quotedType(text: string, expression: Expression): Diagnosed<TypeConstraint> {
  const subject = rangeOf(expression);
  const known = quotedTypes.get(text);
  if (!known) {
    const detail =
      "Types are not written in quotes. Take the quotes away and give a type expression, such as list(string).";
    return {
      value: { type: dynamicType },
      diagnostics: [errorDiagnostic("Invalid legacy variable type hint", detail, { subject })],
    };
  }
  const detail = `Types in quotes are an old form that is no longer read. Take the quotes away and write ${known.instead}.`;
  return {
    value: { type: known.type },
    diagnostics: [errorDiagnostic("Invalid quoted type constraints", detail, { subject })],
  };
}

const summary = "Invalid type specification";
const unreadable: TypeConstraint = { type: dynamicType };
const elementTypeNeeded = (name: string): string =>
  `The ${name} type constructor requires one argument specifying the element type.`;
const objectNeeds =
  "The object type constructor requires one argument specifying the attribute types and values as a map.";
const tupleNeeds = "The tuple type constructor requires one argument specifying the element types as a list.";

class TypeReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #form: "constraint" | "exact";

  constructor(form: "constraint" | "exact") {
    this.#form = form;
  }

  read(expression: Expression): TypeConstraint {
    const keyword = keywordOf(expression);
    if (keyword !== undefined) return this.#keyword(keyword, expression);
    const call = callIn(expression);
    if (call) return this.#construct(call, expression);
    return this.#refuse(
      "A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).",
      expression,
    );
  }

  #keyword(keyword: string, expression: Expression): TypeConstraint {
    switch (keyword) {
      case "bool":
        return { type: boolType };
      case "string":
        return { type: stringType };
      case "number":
        return { type: numberType };
      case "any":
        if (this.#form === "constraint") return { type: dynamicType };
        return this.#refuse(
          'The keyword "any" cannot be used in this type specification: an exact type is required.',
          expression,
        );
      case "list":
      case "set":
      case "map":
        return this.#refuse(elementTypeNeeded(keyword), expression);
      case "object":
        return this.#refuse(objectNeeds, expression);
      case "tuple":
        return this.#refuse(tupleNeeds, expression);
      default:
        return this.#refuse(`The keyword ${quote(keyword)} is not a valid type specification.`, expression);
    }
  }

  #construct(call: StaticCall, whole: Expression): TypeConstraint {
    const { name } = call;
    switch (name) {
      case "bool":
      case "string":
      case "number":
        return this.#refuse(`Primitive type keyword ${quote(name)} does not expect arguments.`, call.parentheses);
      case "any":
        return this.#refuse(`Type constraint keyword ${quote(name)} does not expect arguments.`, call.parentheses);
      case "list":
      case "set":
      case "map": {
        const argument = this.#onlyArgument(call, elementTypeNeeded(name));
        return argument ? this.#collection(name, argument) : unreadable;
      }
      case "object": {
        const argument = this.#onlyArgument(call, objectNeeds);
        return argument ? this.#object(argument, whole) : unreadable;
      }
      case "tuple": {
        const argument = this.#onlyArgument(call, tupleNeeds);
        return argument ? this.#tuple(argument, whole) : unreadable;
      }
      case "optional":
        return this.#refuse(
          `Keyword ${quote(name)} is valid only as a modifier for object type attributes.`,
          call.nameNode,
        );
      default:
        return this.#refuse(`Keyword ${quote(name)} is not a valid type constructor.`, whole);
    }
  }

  #onlyArgument({ args, parentheses }: StaticCall, needs: string): Expression | undefined {
    const [first, second] = args;
    if (first && !second) return first;
    this.#refuse(needs, second ? between(second, args.at(-1)!) : parentheses, parentheses);
    return undefined;
  }

  #collection(kind: "list" | "set" | "map", argument: Expression): TypeConstraint {
    const { type: element, defaults } = this.read(argument);
    const type = kind === "list" ? listType(element) : kind === "set" ? setType(element) : mapType(element);
    return defaults ? { type, defaults: { kind: "collection", element: defaults } } : { type };
  }

  #tuple(argument: Expression, whole: Expression): TypeConstraint {
    const expressions = elementsIn(argument);
    if (!expressions) return this.#refuse("Tuple type constructor requires a list of element types.", argument, whole);
    const elements = expressions.map((expression) => this.read(expression));
    const type = tupleType(elements.map((element) => element.type));
    if (elements.every(({ defaults }) => !defaults)) return { type };
    return { type, defaults: { kind: "tuple", elements: elements.map(({ defaults }) => defaults) } };
  }

  #object(argument: Expression, whole: Expression): TypeConstraint {
    const pairs = pairsIn(argument);
    if (!pairs) {
      return this.#refuse(
        "Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.",
        argument,
        whole,
      );
    }
    const attributes = new Map<string, Type>();
    const optional = new Set<string>();
    const values = new Map<string, Value>();
    const inside = new Map<string, Defaults>();
    for (const { key, value } of pairs) {
      const name = keywordOf(key);
      if (name === undefined) this.#refuse("Object constructor map keys must be attribute names.", key, whole);
      else if (attributes.has(name)) this.#refuse("Object constructor map keys must be unique.", key, whole);
      else {
        const attribute = this.#attribute(value);
        if (!attribute) continue;
        attributes.set(name, attribute.type);
        if (attribute.optional) optional.add(name);
        if (attribute.value) values.set(name, attribute.value);
        if (attribute.defaults) inside.set(name, attribute.defaults);
      }
    }
    const type = objectType(attributes, optional);
    return values.size + inside.size === 0
      ? { type }
      : { type, defaults: { kind: "object", values, attributes: inside } };
  }

  /** An attribute's type, perhaps inside of `optional(…)`; undefined where that has no type in it. */
  #attribute(expression: Expression): (TypeConstraint & { optional: boolean; value?: Value }) | undefined {
    const call = callIn(expression);
    if (call?.name !== "optional") return { ...this.read(expression), optional: false };
    const [type, fallback] = call.args;
    if (!type) {
      this.#refuse(
        "Optional attribute modifier requires the attribute type as its argument.",
        call.parentheses,
        expression,
      );
      return undefined;
    }
    if (this.#form === "exact") {
      this.#refuse(
        "Optional attribute modifier is only for type constraints, not for exact types.",
        call.nameNode,
        expression,
      );
      return { ...this.read(type), optional: false };
    }
    if (call.args.length > 2) {
      const detail =
        "Optional attribute modifier expects at most two arguments: the attribute type, and a default value.";
      this.#refuse(detail, call.parentheses, expression);
      return { ...this.read(type), optional: false };
    }
    const constraint = this.read(type);
    const value = fallback && this.#default(fallback, constraint.type);
    return { ...constraint, optional: true, ...(value ? { value } : {}) };
  }

  #default(expression: Expression, type: Type): Value | undefined {
    const { value, diagnostics } = evaluate(expression);
    this.diagnostics.push(...diagnostics);
    if (hasErrors(diagnostics)) return undefined;
    const converted = convert(value, type);
    if (converted.ok) return converted.value;
    const detail = `This default value is not compatible with the attribute's type constraint: ${converted.message}.`;
    this.diagnostics.push(
      errorDiagnostic("Invalid default value for optional attribute", detail, { subject: rangeOf(expression) }),
    );
    return undefined;
  }

  #refuse(detail: string, subject: Node, context?: Node): TypeConstraint {
    const place = { subject: rangeOf(subject), ...(context ? { context: rangeOf(context) } : {}) };
    this.diagnostics.push(errorDiagnostic(summary, detail, place));
    return unreadable;
  }
}

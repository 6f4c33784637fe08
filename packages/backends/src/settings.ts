import type { AttributeSchema, BlockSchema, NestedBlockSchema } from "@millwright/provider/schema";
import { mapType, setType, stringType, boolType, listType, numberType, type Type } from "@millwright/value/types";

/** A backend's configuration as JSON has it: every attribute, null where it is not set. */
export type BackendConfig = Readonly<Record<string, unknown>>;

/** A configuration with the environment behind it, as a backend reads it. */
export class Settings {
  readonly #config: BackendConfig;
  readonly #environment: Readonly<Record<string, readonly string[]>>;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(
    config: BackendConfig,
    environment: Readonly<Record<string, readonly string[]>>,
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.#config = config;
    this.#environment = environment;
    this.#env = env;
  }

  /** Undefined where it is not set, nor a variable that stands in for it. */
  text(name: string): string | undefined {
    const value = this.#value(name);
    return value === undefined ? undefined : String(value);
  }

  flag(name: string): boolean | undefined {
    const value = this.#value(name);
    if (typeof value === "string") return /^(1|t|true)$/i.test(value);
    return typeof value === "boolean" ? value : undefined;
  }

  number(name: string): number | undefined {
    const value = this.#value(name);
    return value === undefined ? undefined : Number(value);
  }

  /** An attribute or a block that holds attributes. */
  nested(name: string): Settings | undefined {
    const value = this.#config[name];
    return isRecord(value) ? new Settings(value, {}, {}) : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.#config[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  textMap(name: string): Readonly<Record<string, string>> {
    const value = this.#config[name];
    return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)])) : {};
  }

  /** What the environment says that is not of the type which an attribute has in the backend's block. */
  unfitVariables({ attributes }: BlockSchema): readonly string[] {
    return [...attributes].flatMap(([name, { type }]) => {
      const text = this.isSet(name) ? undefined : this.#value(name);
      if (typeof text !== "string") return [];
      const isFit = type === boolType ? flagText.test(text) : type !== numberType || Number.isFinite(Number(text));
      const variable = this.#environment[name]?.find((each) => this.#env[each] === text);
      return isFit ? [] : [`invalid ${name}: a ${type?.kind} is required, and ${variable} is ${JSON.stringify(text)}`];
    });
  }

  isSet(name: string): boolean {
    return this.#config[name] !== undefined && this.#config[name] !== null;
  }

  #value(name: string): unknown {
    const value = this.#config[name];
    if (value !== undefined && value !== null) return value;
    const variables = this.#environment[name] ?? [];
    return variables.map((variable) => this.#env[variable]).find((text) => text !== undefined && text !== "");
  }
}

const flagText = /^(?:1|t|true|0|f|false)$/i;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How an attribute of a backend's block is written down: its type, or the attributes inside it. */
export type AttributeKind = "text" | "flag" | "number" | "texts" | "textList" | "textMap" | AttributeKinds;
export type AttributeKinds = { readonly [name: string]: AttributeKind };

const types: Readonly<Record<Extract<AttributeKind, string>, Type>> = {
  text: stringType,
  flag: boolType,
  number: numberType,
  texts: setType(stringType),
  textList: listType(stringType),
  textMap: mapType(stringType),
};

/** The schema of a backend's block, and of the blocks that may stand in it once. */
export function blockSchema(kinds: AttributeKinds, blocks: Readonly<Record<string, AttributeKinds>> = {}): BlockSchema {
  const nested = Object.entries(blocks).map(([name, inside]): [string, NestedBlockSchema] => [
    name,
    { nesting: "single", block: blockSchema(inside), minItems: 0, maxItems: 1 },
  ]);
  return { attributes: attributesOf(kinds), blocks: new Map(nested) };
}

function attributesOf(kinds: AttributeKinds): ReadonlyMap<string, AttributeSchema> {
  return new Map(
    Object.entries(kinds).map(([name, kind]): [string, AttributeSchema] => [
      name,
      typeof kind === "string"
        ? { type: types[kind], optional: true }
        : { nested: { nesting: "single", attributes: attributesOf(kind) }, optional: true },
    ]),
  );
}

import type { Diagnosed, Diagnostic } from "@millwright/core/diagnostics";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { similar } from "@millwright/core/similar";
import type { Expression } from "@millwright/hcl/ast";
import { rangeOf } from "@millwright/hcl/source-file";
import { toPlain } from "@millwright/value/json";
import type { Value } from "@millwright/value/value";
import { unmarkDeep } from "@millwright/value/value";
import { type EncryptionConfig, type Part, partAt, referenceText } from "./encryption-config.ts";
import { awsKmsProvider } from "./aws-kms.ts";
import { externalProvider } from "./external.ts";
import type { KeyProvider } from "./key-provider.ts";
import { aesGcm, externalMethod, type Method } from "./method.ts";
import { openbaoProvider, vaultKvProvider } from "./openbao.ts";
import { pbkdf2Provider } from "./pbkdf2.ts";

/** A method with its arguments, and the key providers it needs: all that is known before a key is asked for. */
export interface MethodRecipe {
  readonly address: string;
  /** Undefined is `unencrypted`. */
  readonly method: Method | undefined;
  readonly values: Readonly<Record<string, unknown>>;
  readonly keys: Readonly<Record<string, KeyRecipe>>;
}

export interface KeyRecipe {
  readonly address: string;
  /** Under which its metadata is kept. */
  readonly metadataKey: string;
  readonly provider: KeyProvider;
  readonly values: Readonly<Record<string, unknown>>;
  readonly keys: Readonly<Record<string, KeyRecipe>>;
}

/** Evaluates an argument; `what` names what needs it. */
export type EvaluateArgument = (expression: Expression, what: string) => Diagnosed<Value>;

const providers: Readonly<Record<string, KeyProvider>> = {
  pbkdf2: pbkdf2Provider,
  openbao: openbaoProvider,
  aws_kms: awsKmsProvider,
  external: externalProvider,
  vault_kv: vaultKvProvider,
};

const methods: Readonly<Record<string, Method>> = { aes_gcm: aesGcm, external: externalMethod };

/** The recipe of the method at an address; undefined where it cannot be made, which the diagnostics say. */
export function methodRecipe(
  config: EncryptionConfig,
  address: string,
  from: Part["range"],
  evaluate: EvaluateArgument,
): Diagnosed<MethodRecipe | undefined> {
  const cook = new Cook(config, evaluate);
  return { value: cook.method(address, from), diagnostics: cook.diagnostics };
}

class Cook {
  readonly diagnostics: Diagnostic[] = [];
  readonly #config: EncryptionConfig;
  readonly #evaluate: EvaluateArgument;

  constructor(config: EncryptionConfig, evaluate: EvaluateArgument) {
    this.#config = config;
    this.#evaluate = evaluate;
  }

  method(address: string, from: Part["range"]): MethodRecipe | undefined {
    const part = partAt(this.#config.methods, address, from);
    if (!("address" in part && "attributes" in part)) return this.#fail(part);
    if (part.type === "unencrypted") return { address, method: undefined, values: {}, keys: {} };
    const method = Object.hasOwn(methods, part.type) ? methods[part.type] : undefined;
    if (!method) return this.#unknown(part, "encryption method", [...Object.keys(methods), "unencrypted"]);
    const read = this.#arguments(part, method.arguments, []);
    return read && { address, method, ...read };
  }

  #provider(address: string, from: Part["range"], way: readonly string[]): KeyRecipe | undefined {
    if (way.includes(address)) {
      const circle = [...way.slice(way.indexOf(address)), address].join(" → ");
      return this.#fail(
        errorDiagnostic("Circular reference", `${address} needs its own key: ${circle}.`, { subject: from }),
      );
    }
    const part = partAt(this.#config.keyProviders, address, from);
    if (!("address" in part && "attributes" in part)) return this.#fail(part);
    const provider = Object.hasOwn(providers, part.type) ? providers[part.type] : undefined;
    if (!provider) return this.#unknown(part, "key provider", Object.keys(providers));
    const { encrypted_metadata_alias: alias, ...read } = this.#named(part, provider, [...way, address]) ?? {};
    if (!("values" in read)) return undefined;
    return { address, provider, metadataKey: alias ?? address, values: read.values, keys: read.keys };
  }

  #named(part: Part, provider: KeyProvider, way: readonly string[]) {
    const read = this.#arguments(part, [...provider.arguments, "encrypted_metadata_alias"], way);
    if (!read) return undefined;
    const { encrypted_metadata_alias: alias } = read.values;
    return { ...read, ...(typeof alias === "string" ? { encrypted_metadata_alias: alias } : {}) };
  }

  #arguments(part: Part, known: readonly string[], way: readonly string[]) {
    const values: Record<string, unknown> = {};
    const keys: Record<string, KeyRecipe> = {};
    const before = this.diagnostics.length;
    for (const [name, attribute] of part.attributes) {
      const subject = rangeOf(attribute.nameNode);
      if (!known.includes(name)) {
        const near = similar(name, known);
        const detail = `An argument named "${name}" is not expected in ${part.address}.${near ? ` Did you mean "${near}"?` : ""}`;
        this.#fail(errorDiagnostic("Unsupported argument", detail, { subject }));
        continue;
      }
      const reference = referenceText(attribute.expression);
      if (reference?.startsWith("key_provider.")) {
        const recipe = this.#provider(reference, rangeOf(attribute.expression), way);
        if (recipe) keys[name] = recipe;
        continue;
      }
      const { value, diagnostics } = this.#evaluate(attribute.expression, part.address);
      this.diagnostics.push(...diagnostics);
      const [plain] = unmarkDeep(value);
      if (!diagnostics.some(({ severity }) => severity === "error")) values[name] = toPlain(plain, plain.type);
    }
    return this.diagnostics.slice(before).some(({ severity }) => severity === "error") ? undefined : { values, keys };
  }

  #unknown(part: Part, what: string, known: readonly string[]): undefined {
    const near = similar(part.type, known);
    const detail = `There is no ${what} of type "${part.type}" here.${near === undefined ? "" : ` Did you mean "${near}"?`} There are ${known.join(", ")}.`;
    return this.#fail(errorDiagnostic(`Unknown ${what} type`, detail, { subject: part.range }));
  }

  #fail(diagnostic: Diagnostic): undefined {
    this.diagnostics.push(diagnostic);
    return undefined;
  }
}

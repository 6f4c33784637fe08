import { messageOf } from "@millwright/core/errors";
import type { FunctionSpec, Parameter } from "@millwright/hcl/function-spec";
import { FunctionError } from "@millwright/hcl/function-spec";
import type { Lookup } from "@millwright/hcl/scope";
import type { FunctionAnswer } from "@millwright/provider/protocol";
import type { FunctionParameterSchema, FunctionSchema } from "@millwright/provider/schema";
import { encodeJson } from "@millwright/value/json";
import { dynamicType } from "@millwright/value/types";
import { isWhollyKnown, tupleValue, unknownValue, type Value } from "@millwright/value/value";
import type { ProviderSource } from "../addresses.ts";
import { providerSourceText } from "../addresses.ts";
import type { Module } from "../configuration.ts";
import type { ProviderPool } from "../provider-pool.ts";

/**
 * The functions that providers lend to expressions: `provider::NAME::FUNCTION`, where NAME is one of the module's
 * `required_providers`, and OpenTofu's `provider::NAME::ALIAS::FUNCTION`. They only compute, so an answer holds for the run.
 *
 * Evaluation does not wait, and a provider answers later: what is asked for the first time is unknown for the moment, and
 * {@link settle} evaluates again once all that was asked is there.
 */
export class ProviderFunctions {
  readonly #pool: ProviderPool;
  readonly #answers = new Map<string, FunctionAnswer>();
  #asked = new Map<string, Promise<void>>();

  constructor(pool: ProviderPool) {
    this.#pool = pool;
  }

  /** Does `work`, which evaluates and nothing else, until it has asked for nothing that was not answered. */
  async settle(work: () => void): Promise<void> {
    for (;;) {
      this.#asked = new Map();
      work();
      if (this.#asked.size === 0) return;
      await Promise.all(this.#asked.values());
    }
  }

  /** What a module's expressions may call. */
  of(module: Module): Lookup<FunctionSpec> {
    return {
      get: (name) => this.#find(module, name),
      keys: () =>
        [...module.requiredProviders.values()].flatMap(({ localName, source }) => this.#names(localName, source)),
    };
  }

  #names(localName: string, source: ProviderSource): string[] {
    return [...(this.#pool.schema(source)?.functions.keys() ?? [])].map((name) => `provider::${localName}::${name}`);
  }

  #find(module: Module, name: string): FunctionSpec | undefined {
    const [prefix, localName = "", ...rest] = name.split("::");
    if (prefix !== "provider" || rest.length === 0 || rest.length > 2) return undefined;
    const source = module.requiredProviders.get(localName)?.source;
    const schema = source && this.#pool.schema(source)?.functions.get(rest.at(-1)!);
    return schema && source ? this.#spec(name, rest.at(-1)!, source, schema) : undefined;
  }

  #spec(name: string, own: string, source: ProviderSource, schema: FunctionSchema): FunctionSpec {
    const { parameters, variadic, returnType } = schema;
    return {
      name,
      description: schema.summary ?? schema.description ?? "",
      parameters: parameters.map(parameterOf),
      ...(variadic ? { variadic: parameterOf(variadic) } : {}),
      returnType,
      call: (args) => {
        if (!args.every(isWhollyKnown)) return unknownValue(returnType);
        const answer = this.#answer(own, source, args);
        if (!answer) return unknownValue(returnType);
        if (answer.ok) return answer.result;
        throw new FunctionError(answer.message, answer.argument);
      },
    };
  }

  #answer(name: string, source: ProviderSource, args: readonly Value[]): FunctionAnswer | undefined {
    const key = `${providerSourceText(source)}|${name}|${encodeJson(tupleValue(args), dynamicType)}`;
    const known = this.#answers.get(key);
    if (!known && !this.#asked.has(key)) {
      const asking = this.#ask(name, source, args).then((answer) => void this.#answers.set(key, answer));
      this.#asked.set(key, asking);
    }
    return known;
  }

  async #ask(name: string, source: ProviderSource, args: readonly Value[]): Promise<FunctionAnswer> {
    try {
      const provider = await this.#pool.any(source);
      return await provider.callFunction({ name, args });
    } catch (error) {
      return { ok: false, message: `the provider did not answer: ${messageOf(error)}` };
    }
  }
}

function parameterOf({ name, type, description, allowNull, allowUnknown }: FunctionParameterSchema): Parameter {
  return {
    name,
    type,
    ...(description === undefined ? {} : { description }),
    ...(allowNull ? { allowNull } : {}),
    ...(allowUnknown ? { allowUnknown } : {}),
    ...(type.kind === "dynamic" ? { allowDynamicType: true } : {}),
  };
}

import { gunzipSync, gzipSync } from "node:zlib";
import { invariant, isKind } from "@millwright/core/errors";
import { pluginErrors } from "../host/errors.ts";
import { NotServed } from "../server/not-served.ts";
import type { ProviderCalls } from "../server/provider-calls.ts";
import type { CallName, RequestOf, ResponseOf, WireCall } from "../wire/calls.ts";
import { callNames, calls } from "../wire/calls.ts";
import type { Draft } from "../wire/message.ts";
import type { BlockMessage, ProtocolVersion } from "../wire/schema-messages.ts";
import { schemaMessage } from "../wire/schema-messages.ts";

/** One call as it went over the wire, its messages in base64. */
export interface RecordedExchange {
  readonly call: CallName;
  readonly request: string;
  /** Undefined where the provider did not know the call. */
  readonly response?: string;
}

/** What a provider was asked and what it answered, to be played again where it is not. */
export interface Recording {
  readonly version: ProtocolVersion;
  readonly exchanges: readonly RecordedExchange[];
}

/** How calls are made of a provider: by name, with messages. */
export type MakeCall = <N extends CallName>(name: N, request: Draft<RequestOf<N>>) => Promise<ResponseOf<N>>;

/** Calls that go on to a provider, and are noted. */
export function recordedCalls(make: MakeCall, note: (exchange: RecordedExchange) => void): ProviderCalls {
  return callsBy(async (name, request) => {
    const { request: question, response: answer } = wireOf(name);
    const asked = { call: name, request: base64(question.encode(request)) };
    try {
      const response = await make(name, request as Draft<RequestOf<typeof name>>);
      note({ ...asked, response: base64(answer.encode(response)) });
      return response;
    } catch (error) {
      if (!isKind(error, pluginErrors.unknownCall)) throw error;
      note(asked);
      throw new NotServed(error.message);
    }
  });
}

/**
 * Calls that are answered as they were when they were recorded, whatever their order; what was asked several times is answered in
 * turn. A call that was never recorded is told with what was asked.
 */
export function replayedCalls({ exchanges }: Recording): ProviderCalls {
  const answers = new Map<string, (string | undefined)[]>();
  for (const { call, request, response } of exchanges) {
    const key = `${call} ${request}`;
    answers.set(key, [...(answers.get(key) ?? []), response]);
  }
  return callsBy(async (name, request) => {
    const { request: question, response: answer } = wireOf(name);
    const asked = base64(question.encode(request));
    const known = answers.get(`${name} ${asked}`);
    invariant(known, `${name} was never asked like this when it was recorded: ${asked}`);
    const response = known.length > 1 ? known.shift() : known[0];
    if (response === undefined) throw new NotServed(`There was no ${name} when it was recorded.`);
    return answer.decode(Buffer.from(response, "base64"));
  });
}

/**
 * The recording in few bytes: what was asked and answered twice is there once, and of the schemas those that somebody asked about,
 * without their descriptions.
 */
export function compact({ version, exchanges }: Recording): Recording {
  const types = new Set(exchanges.map(typeOf));
  const seen = new Map<string, string | undefined>();
  const kept: RecordedExchange[] = [];
  for (const exchange of exchanges) {
    const key = `${exchange.call} ${exchange.request}`;
    if (seen.has(key) && seen.get(key) === exchange.response) continue;
    seen.set(key, exchange.response);
    kept.push(exchange.call === "getProviderSchema" ? fewerSchemas(exchange, version, types) : exchange);
  }
  return { version, exchanges: kept };
}

export function writeRecording(recording: Recording): Uint8Array {
  return gzipSync(JSON.stringify(recording), { level: 9 });
}

export function readRecording(bytes: Uint8Array): Recording {
  return JSON.parse(gunzipSync(bytes).toString()) as Recording;
}

function fewerSchemas(
  exchange: RecordedExchange,
  version: ProtocolVersion,
  types: ReadonlySet<string>,
): RecordedExchange {
  const { response } = calls.getProviderSchema;
  const whole = response.decode(Buffer.from(exchange.response ?? "", "base64"));
  const type = schemaMessage(version);
  const without = (bytes: Uint8Array) => {
    const { version: number, block } = type.decode(bytes);
    return type.encode({ version: number, block: block && undescribed(block) });
  };
  const few = (schemas: ReadonlyMap<string, Uint8Array>) =>
    new Map([...schemas].filter(([type]) => types.has(type)).map(([type, bytes]) => [type, without(bytes)]));
  const answer = {
    ...whole,
    provider: whole.provider && without(whole.provider),
    providerMeta: undefined,
    resourceSchemas: few(whole.resourceSchemas),
    dataSourceSchemas: few(whole.dataSourceSchemas),
    ephemeralResourceSchemas: few(whole.ephemeralResourceSchemas),
  };
  return { ...exchange, response: base64(response.encode(answer)) };
}

function undescribed(block: BlockMessage): Draft<BlockMessage> {
  return {
    ...block,
    description: "",
    descriptionKind: "plain",
    attributes: block.attributes.map((attribute) => ({ ...attribute, description: "", descriptionKind: "plain" })),
    blockTypes: block.blockTypes.map((nested) => ({ ...nested, block: nested.block && undescribed(nested.block) })),
  };
}

function typeOf({ call, request }: RecordedExchange): string {
  const message: unknown = wireOf(call).request.decode(Buffer.from(request, "base64"));
  return typeof message === "object" && message && "typeName" in message ? String(message.typeName) : "";
}

type AnyCall = (name: CallName, request: Draft<unknown>) => Promise<unknown>;

function callsBy(answer: AnyCall): ProviderCalls {
  return Object.fromEntries(
    callNames.map((name) => [name, (request: Draft<unknown>) => answer(name, request)]),
  ) as ProviderCalls;
}

// The table's type has each call's own messages, which a name of any call does not lead the compiler to.
function wireOf(name: CallName): WireCall<unknown, unknown> {
  return calls[name] as unknown as WireCall<unknown, unknown>;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

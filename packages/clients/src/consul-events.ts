import {
  type Answer,
  answerOf,
  badAnswer,
  type CallOptions,
  type ConsulApi,
  jsonOf,
  type ReadOptions,
} from "./consul-api.ts";
import { watchAnswers, type WatchSettings } from "./consul-watch.ts";
import { WireObject, wireObjects } from "./consul-wire.ts";

/** Something that somebody said has happened. */
export interface CustomEvent {
  readonly id: string;
  readonly name: string;
  readonly payload: Uint8Array;
  readonly nodeFilter: string;
  readonly serviceFilter: string;
  readonly tagFilter: string;
}

/** An event to fire; the filters are regular expressions, and empty ones hold for all. */
export interface EventRequest {
  readonly name: string;
  readonly payload?: Uint8Array | string;
  readonly node?: string;
  readonly service?: string;
  readonly tag?: string;
}

/** `/v1/event`. */
export class ConsulEvents {
  readonly #api: ConsulApi;

  constructor(api: ConsulApi) {
    this.#api = api;
  }

  /** Resolves to the event's id. */
  async fire(request: EventRequest, options: CallOptions = {}): Promise<string> {
    const { name, payload = "", node, service, tag } = request;
    const filters = Object.entries({ node, service, tag }).filter(([, value]) => value);
    const answer = await this.#api.request({
      method: "PUT",
      path: `/v1/event/fire/${encodeURIComponent(name)}`,
      query: Object.fromEntries(filters) as Record<string, string>,
      body: typeof payload === "string" ? Buffer.from(payload) : payload,
      options,
      repeatable: false,
    });
    const id = new WireObject(await jsonOf(answer, "firing an event"), "firing an event").text("ID");
    if (id === "") throw badAnswer("firing an event", "its answer has no ID");
    return id;
  }

  /** The last events that are meant for the node which is asked, the oldest first. */
  async list(options: ReadOptions & { readonly name?: string } = {}): Promise<Answer<readonly CustomEvent[]>> {
    const query: Record<string, string> = options.name ? { name: options.name } : {};
    const request = { method: "GET", path: "/v1/event/list", query, options, repeatable: true } as const;
    const answer = await this.#api.request(request);
    return answerOf(answer, wireObjects(await jsonOf(answer, "listing events"), "listing events").map(parseEvent));
  }

  watch(
    settings: WatchSettings & CallOptions & { readonly name?: string },
  ): AsyncGenerator<Answer<readonly CustomEvent[]>> {
    return watchAnswers((position) => this.list({ ...settings, ...position }), settings);
  }
}

function parseEvent(wire: WireObject): CustomEvent {
  return {
    id: wire.text("ID"),
    name: wire.text("Name"),
    payload: Buffer.from(wire.text("Payload"), "base64"),
    nodeFilter: wire.text("NodeFilter"),
    serviceFilter: wire.text("ServiceFilter"),
    tagFilter: wire.text("TagFilter"),
  };
}

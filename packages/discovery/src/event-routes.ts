import { OperationalError } from "@millwright/core/errors";
import type { HttpReply } from "@millwright/core/http";
import { readBody } from "@millwright/core/http-body";
import { jsonReply } from "@millwright/core/http-reply";
import type { Chance } from "@millwright/core/ports";
import { blockingRead } from "@millwright/records/blocking";
import { commitDraft } from "@millwright/records/commit";
import { parseReadOptions } from "@millwright/records/read-options";
import { topicOf } from "@millwright/records/table";
import { compileRegexp } from "@millwright/text/regexp";
import { serviceLists } from "./catalog-records.ts";
import { discoveryErrors } from "./errors.ts";
import { eventKey, eventLists, type EventRecord } from "./event-records.ts";
import type { NodeIdentity } from "./identity.ts";
import { badRequest } from "./parameters.ts";
import type { Permission } from "./permissions.ts";
import { readHeaders } from "./reply.ts";
import type { Call, Route } from "./route.ts";
import type { DiscoveryCommits, DiscoveryDraft, DiscoveryReads, DiscoveryState } from "./state.ts";

export interface EventRoutesContext extends DiscoveryReads, DiscoveryCommits {
  readonly chance: Chance;
  readonly identity: NodeIdentity;
  readonly pretty: boolean;
}

/** How many are kept; the oldest goes with each one more. */
const kept = 256;
/** Of a payload, in bytes: an event says that something happened, and is no place for data. */
const largestPayload = 512;

/** `/v1/event`: custom events, kept by the servers and told to whom they are meant for. */
export function eventRoutes(context: EventRoutesContext): Route[] {
  return [
    {
      method: "PUT",
      pattern: "/v1/event/fire/:name",
      permission: {
        kind: "needs",
        what: "event:write on the name",
        of: ({ params }) => [eventPermission("write", params.name ?? "")],
      },
      blocking: false,
      handle: (call) => fire(context, call),
    },
    {
      method: "GET",
      pattern: "/v1/event/list",
      permission: { kind: "needs", what: "event:read on the names; others are left out", of: () => [] },
      blocking: true,
      handle: (call) => list(context, call),
    },
  ];
}

async function fire(context: EventRoutesContext, call: Call): Promise<HttpReply> {
  const { query, params, request } = call;
  const payload = await readBody(request, largestPayload, discoveryErrors.tooLarge);
  const event = {
    id: context.chance.uuid(),
    name: params.name ?? "",
    payload: Buffer.from(payload).toString("base64"),
    nodeFilter: expressionOf(query, "node"),
    serviceFilter: expressionOf(query, "service"),
    tagFilter: expressionOf(query, "tag"),
  };
  if (event.tagFilter !== "" && event.serviceFilter === "")
    throw badRequest("Cannot provide tag filter without service filter");
  const { value } = await commitDraft(context, (draft) => addEvent(draft, event));
  return jsonReply({ ...eventJson(value), LTime: 0 }, context.pretty || query.has("pretty"));
}

function addEvent(draft: DiscoveryDraft, event: Omit<EventRecord, "number">): EventRecord {
  const numbers = draft.rows("event", "").map(({ number }) => number);
  const number = Math.max(0, ...numbers) + 1;
  const record = { ...event, number };
  draft.put("event", eventKey(number), record);
  for (const old of numbers) if (old <= number - kept) draft.delete("event", eventKey(old));
  return record;
}

async function list(context: EventRoutesContext, call: Call): Promise<HttpReply> {
  const options = parseReadOptions(call.query);
  const name = call.query.get("name") ?? "";
  const node = call.request.header("x-millwright-node") || context.identity.nodeName;
  const topics = [topicOf("event", name === "" ? undefined : eventLists.named(name))];
  const { index, value } = await blockingRead(context, options, { kind: "topics", topics }, call.request, {
    index: (state) => state.indexOf(state.changedTopics(topics)),
    value: (state) => eventsFor(state, name, node),
  });
  const mayRead = (event: EventRecord) => call.grants.decide(eventPermission("read", event.name)).kind === "allow";
  const seen = call.grants.unrestricted ? value : value.filter(mayRead);
  const headers = readHeaders({
    index,
    filtered: seen.length < value.length && call.token !== "",
    knownLeader: context.projection.knowsLeader,
    lastContact: options.consistency === "stale" ? context.projection.lastContact : 0,
    consistency: options.consistency,
  });
  return jsonReply(seen.map(eventJson), context.pretty || call.query.has("pretty"), 200, headers);
}

// The events that are meant for a node, the oldest first.
function eventsFor(state: DiscoveryState, name: string, node: string): readonly EventRecord[] {
  const rows = name === "" ? state.rows("event") : state.list("event", eventLists.named(name));
  const services = [...state.list("service", serviceLists.on(node))];
  return [...rows].filter(({ nodeFilter, serviceFilter, tagFilter }) => {
    if (!fits(nodeFilter, node)) return false;
    if (serviceFilter === "") return true;
    return services.some((service) => {
      return (
        fits(serviceFilter, service.name) && (tagFilter === "" || service.tags.some((tag) => fits(tagFilter, tag)))
      );
    });
  });
}

function fits(expression: string, text: string): boolean {
  if (expression === "") return true;
  const compiled = compileRegexp(expression);
  return compiled.ok && compiled.regexp.test(text);
}

function expressionOf(query: URLSearchParams, name: "node" | "service" | "tag"): string {
  const text = query.get(name) ?? "";
  const compiled = compileRegexp(text);
  if (!compiled.ok) throw new OperationalError(discoveryErrors.badRequest, `Invalid ${name} filter: ${compiled.error}`);
  return text;
}

function eventJson(event: EventRecord): object {
  return {
    ID: event.id,
    Name: event.name,
    Payload: event.payload === "" ? null : event.payload,
    NodeFilter: event.nodeFilter,
    ServiceFilter: event.serviceFilter,
    TagFilter: event.tagFilter,
    Version: 1,
    LTime: event.number,
  };
}

function eventPermission(access: "read" | "write", name: string): Permission {
  return { resource: "event", access, name };
}

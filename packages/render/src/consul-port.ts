import type { ConsulClient } from "@millwright/clients/consul";
import type { Answer, ReadOptions } from "@millwright/clients/consul-api";
import { assertNever } from "@millwright/core/errors";
import type { TemplateValue } from "@millwright/template/value";
import type { ConsulAnswer, ConsulPort, ConsulReadPosition, ConsulSource } from "./servers.ts";
import type { Scope } from "./source.ts";
import { keyValue, namesValue, nodesValue, nodeValue, servicesValue, serviceValue, treeValue } from "./values.ts";

/**
 * Reads through a client; make it with one attempt a request, as whoever follows a source repeats by itself. `token` is asked
 * before each read, for tokens that change; empty leaves it to the client's own.
 */
export function consulPort(client: ConsulClient, token = () => ""): ConsulPort {
  return { address: client.address, read: (source, position) => read(client, source, { ...position, token: token() }) };
}

type Reading = ConsulReadPosition & { readonly token: string };

async function read(client: ConsulClient, source: ConsulSource, position: Reading): Promise<ConsulAnswer> {
  switch (source.kind) {
    case "key":
      return shown(await client.kv.get(source.key, optionsOf(source.scope, position)), keyValue);
    case "tree": {
      const answer = await client.kv.list(source.prefix, optionsOf(source.scope, position));
      return shown(answer, (entries) => treeValue(entries, source.prefix));
    }
    case "service": {
      const { name, tag, near, filters, scope } = source;
      const passing = filters.length === 1 && filters[0] === "passing";
      const answer = await client.health.service(name, {
        ...optionsOf(scope, position),
        ...(tag === undefined ? {} : { tags: [tag] }),
        ...(near === undefined ? {} : { near }),
        ...(passing ? { passing } : {}),
      });
      return shown(answer, (instances) => serviceValue(instances, { filters, isSorted: near !== undefined }));
    }
    case "services":
      return shown(await client.catalog.services(optionsOf(source.scope, position)), servicesValue);
    case "node": {
      const name = source.name ?? (await client.agentSelf(callOptions(position))).nodeName;
      return shown(await client.catalog.node(name, optionsOf(source.scope, position)), nodeValue);
    }
    case "nodes": {
      const { near, scope } = source;
      const options = { ...optionsOf(scope, position), ...(near === undefined ? {} : { near }) };
      return shown(await client.catalog.nodes(options), (nodes) => nodesValue(nodes, near !== undefined));
    }
    case "datacenters": {
      const names = await client.catalog.datacenters(callOptions(position));
      return { value: namesValue(names), index: 0, lastContact: 0 };
    }
    default:
      return assertNever(source);
  }
}

function optionsOf(scope: Scope, position: Reading): ReadOptions {
  const { index, waitMilliseconds, mayBeStale } = position;
  const consistency = mayBeStale ? "stale" : "default";
  return { ...scope, ...callOptions(position), index, wait: waitMilliseconds, consistency };
}

function callOptions({ token, signal }: Reading): { readonly token?: string; readonly signal: AbortSignal } {
  return token === "" ? { signal } : { token, signal };
}

function shown<T>({ value, index, lastContact }: Answer<T>, toValue: (value: T) => TemplateValue): ConsulAnswer {
  // An index below 1 would make the next read answer at once, again and again.
  return { value: toValue(value), index: Math.max(1, index), lastContact };
}

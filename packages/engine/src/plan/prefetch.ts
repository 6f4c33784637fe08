import { hasErrors } from "@millwright/core/diagnostics";
import type { Provider, ReadAnswer, ReadCall } from "@millwright/provider/protocol";
import { isNull, unmarkDeep } from "@millwright/value/value";
import { instanceAddress, parseProviderConfigAddress } from "../addresses.ts";
import { identityAs, readWithIdentity } from "../identity.ts";
import type { ResourceState } from "../state.ts";
import type { PlanRun } from "./run.ts";

/** As many objects as are read in one call. */
const mostAtOnce = 1_000;

/** What was read ahead, by the whole address of the instance. */
export type ReadAhead = Map<string, ReadAnswer>;

/**
 * Reads ahead what the state holds of the providers that are configured by now and can read many objects at a time. What it
 * cannot read is left to be read when it is planned, which says why.
 */
export async function readAhead(run: PlanRun): Promise<void> {
  if (!run.options.refresh) return;
  const groups = new Map<
    string,
    { readonly provider: Provider; readonly type: string; readonly resources: ResourceState[] }
  >();
  for (const resource of run.refreshed.resources()) {
    const address = parseProviderConfigAddress(resource.provider);
    if (!address || resource.address.mode !== "managed" || !run.pool.isConfigured(address)) continue;
    const { type } = resource.address;
    const key = `${resource.provider} ${type}`;
    if (run.readAheadOf.has(key)) continue;
    const provider = run.pool.configured(address);
    if (!provider.readsMany?.has(type)) continue;
    const group = groups.get(key);
    if (group) group.resources.push(resource);
    else groups.set(key, { provider, type, resources: [resource] });
  }
  for (const [key, { provider, type, resources }] of groups) {
    run.readAheadOf.add(key);
    const calls = await callsFor(run, provider, type, resources);
    for (let at = 0; at < calls.length && !run.ports.stop.aborted; at += mostAtOnce) {
      const some = calls.slice(at, at + mostAtOnce);
      const answers = await provider.readMany?.(some.map(({ call }) => call)).catch(() => []);
      some.forEach(({ text }, i) => {
        const answer = answers?.[i];
        if (answer && !answer.diagnostics.some(({ severity }) => severity === "error")) run.readAhead.set(text, answer);
      });
    }
  }
}

async function callsFor(
  run: PlanRun,
  provider: Provider,
  type: string,
  resources: readonly ResourceState[],
): Promise<readonly { readonly text: string; readonly call: ReadCall }[]> {
  const calls: { text: string; call: ReadCall }[] = [];
  for (const { module, address: resource, provider: by, instances } of resources) {
    const source = parseProviderConfigAddress(by)!.source;
    const schema = run.pool.resourceSchema(source, resource);
    if (!schema) continue;
    for (const { key, current } of instances.values()) {
      const address = instanceAddress(module, resource, key);
      if (!current || !run.isTargeted(address.text)) continue;
      const read = await readWithIdentity(current, address, schema, provider);
      if (hasErrors(read.diagnostics) || isNull(read.value)) continue;
      const { allowed: deferralAllowed } = run.deferrals;
      const call = { type, current: unmarkDeep(read.value)[0], private: current.private, deferralAllowed };
      calls.push({ text: address.text, call: { ...call, ...identityAs("identity", read.identity) } });
    }
  }
  return calls;
}

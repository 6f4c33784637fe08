import { isDeepStrictEqual } from "node:util";
import type { TemplateValue } from "@millwright/template/value";
import type { FollowContext } from "./follow.ts";
import { withRetries } from "./retry.ts";
import type { ConsulAnswer, ConsulSource } from "./servers.ts";

/** No more than one read of a source in this time, whatever the server answers. */
const leastBetweenReads = 100;
/** How often that is read again which cannot be waited for. */
const pollMilliseconds = 15_000;

/** Follows a source by blocking reads. */
export async function followConsul(source: ConsulSource, context: FollowContext): Promise<void> {
  const { clock, chance, log, signal, settings } = context;
  let index = 0;
  let last: TemplateValue | undefined;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const started = clock.monotonic();
    const answer = await read(source, index, context);
    const elapsed = clock.monotonic() - started;
    if (!isFirst && elapsed < leastBetweenReads) {
      await clock.sleep(leastBetweenReads - elapsed + chance.fraction() * 20, signal);
    }
    const isBlocking = answer.index > 0;
    // Nothing has changed: the wait ran out.
    if (isBlocking && answer.index === index) continue;
    // After a restore an index may be lower; waiting for the old one would last for ever.
    index = answer.index < index ? 0 : answer.index;
    if (last === undefined || !isDeepStrictEqual(answer.value, last)) {
      last = answer.value;
      if (source.kind === "key" && last === null) log.write("info", missingKey(source.key, context));
      context.emit(last);
    }
    if (!isBlocking) await clock.sleep(Math.min(pollMilliseconds, settings.blockMilliseconds), signal);
  }
}

async function read(source: ConsulSource, index: number, context: FollowContext): Promise<ConsulAnswer> {
  const { servers, settings, clock, log, signal } = context;
  const once = (mayBeStale: boolean) =>
    withRetries({ what: source.id, policy: settings.consulRetry, clock, log, signal }, () =>
      servers.consul.read(source, { index, waitMilliseconds: settings.blockMilliseconds, mayBeStale, signal }),
    );
  const mayBeStale = settings.maxStaleMilliseconds > 0;
  const answer = await once(mayBeStale);
  return mayBeStale && answer.lastContact > settings.maxStaleMilliseconds ? once(false) : answer;
}

function missingKey(key: string, { servers }: FollowContext): string {
  return `there is no key ${JSON.stringify(key)} at ${servers.consul.address} now`;
}

import type { VaultSecret } from "@millwright/clients/vault";
import type { Clock } from "@millwright/core/ports";
import type { VaultPort } from "@millwright/render/servers";
import type { KeptSecret, PrivateMemory } from "./private-memory.ts";

/**
 * A task's way to the secrets server that remembers what was made for the task: an agent that is started anew goes on renewing the
 * credential that the task has, and does not read another one, for which the task would have to be restarted.
 *
 * What is remembered is given out once, as the first answer; after that the server is asked. Stored values (`kv`) are always read.
 */
export function rememberedVault(port: VaultPort, memory: PrivateMemory, clock: Clock): VaultPort {
  const asked = new Set<string>();
  const answer = async (key: string, isMade: boolean, ask: () => Promise<VaultSecret | undefined>) => {
    const isFirst = !asked.has(key);
    asked.add(key);
    const kept = memory.facts.leased[key];
    const remembered = isFirst && kept ? recalled(kept, clock.now()) : undefined;
    if (remembered) return remembered;
    const secret = await ask();
    const keeps = secret !== undefined && (isMade || secret.leaseId !== "");
    if (keeps || kept)
      await memory.change((facts) => ({
        ...facts,
        leased: withKept(facts.leased, key, keeps ? keptOf(secret, clock.now()) : undefined),
      }));
    return secret;
  };
  return {
    ...port,
    read: (path, query, signal) =>
      answer(`read ${path} ${JSON.stringify(query)}`, false, () => port.read(path, query, signal)),
    write: (path, data, signal) =>
      answer(`write ${path} ${JSON.stringify(data)}`, true, () => port.write(path, data, signal)),
    renewLease: async (leaseId, increment, signal) => {
      const found = Object.entries(memory.facts.leased).find(([, { secret }]) => leaseOf(secret) === leaseId);
      // What is left of it is less than what it was given for.
      const renewed = await port.renewLease(leaseId, Math.max(increment, found?.[1].leaseDuration ?? 0), signal);
      if (found) {
        const expires = clock.now() + renewed.leaseDuration * 1000;
        await memory.change((facts) => ({
          ...facts,
          leased: withKept(facts.leased, found[0], { ...found[1], expires }),
        }));
      }
      return renewed;
    },
  };
}

function withKept(leased: Readonly<Record<string, KeptSecret>>, key: string, kept: KeptSecret | undefined) {
  const { [key]: _, ...others } = leased;
  return kept ? { ...others, [key]: kept } : others;
}

function keptOf(secret: VaultSecret, now: number): KeptSecret {
  const { leaseDuration } = secret;
  return { secret: packed(secret), leaseDuration, expires: leaseDuration === 0 ? 0 : now + leaseDuration * 1000 };
}

function recalled({ secret, expires }: KeptSecret, now: number): VaultSecret | undefined {
  if (expires !== 0 && expires <= now + leastMilliseconds) return undefined;
  const whole = unpacked(secret);
  return expires === 0 ? whole : { ...whole, leaseDuration: Math.floor((expires - now) / 1000) };
}

function leaseOf(text: string): string {
  return unpacked(text).leaseId;
}

// JSON has no integers beyond 2^53; answers may.
function packed(secret: VaultSecret): string {
  return JSON.stringify(secret, (_, value: unknown) =>
    typeof value === "bigint" ? { [wholeNumber]: String(value) } : value,
  );
}

function unpacked(text: string): VaultSecret {
  return JSON.parse(text, (_, value: unknown) => {
    const digits = typeof value === "object" && value !== null ? Reflect.get(value, wholeNumber) : undefined;
    return typeof digits === "string" ? BigInt(digits) : value;
  }) as VaultSecret;
}

const wholeNumber = "\u0000whole";
/** What ends sooner is read anew. */
const leastMilliseconds = 2_000;

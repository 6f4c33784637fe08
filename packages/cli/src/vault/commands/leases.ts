import { goDuration } from "../go-value.ts";
import { LocalMistake, vaultCommand } from "../command.ts";
import { writeAndSay } from "./logical.ts";

/** `lease renew`, and `renew` as it was in 2016. */
export const renew = vaultCommand({
  usage: "[flags] LEASE_ID [INCREMENT]",
  about: "Extends a lease, never past its maximum. INCREMENT is how long it is to live from now: 3600, 30m.",
  examples: [
    "lease renew postgresql/creds/readonly/8e9d1c72-…",
    "lease renew -increment=30m postgresql/creds/readonly/8e9d…",
  ],
  flags: {
    increment: { kind: "string", value: "TIME", help: "How long it is to live from now, in seconds or as 30m." },
  },
  args: { least: 1, most: 2 },
  run: async ({ values, args: [id = "", increment], io, client, output }) => {
    const wanted = increment ?? values.increment;
    const secret = await client.renewLease(id, wanted === undefined ? undefined : secondsOf(wanted), {
      signal: io.signal,
    });
    return output.secret(secret);
  },
});

/** `lease revoke`, and `revoke` as it was in 2016. */
export const revoke = vaultCommand({
  usage: "[flags] LEASE_ID",
  about: "Ends a lease now: what it stands for is taken back. With -prefix all leases under a path.",
  examples: ["lease revoke postgresql/creds/readonly/8e9d1c72-…", "lease revoke -prefix postgresql/creds/"],
  flags: {
    prefix: { kind: "bool", help: "Treat LEASE_ID as a prefix: all leases under it end." },
    force: { kind: "bool", help: "With -prefix: forget leases whose revocation fails. What they stand for may stay." },
    sync: { kind: "bool", help: "Wait until it is done; the default here." },
  },
  args: { least: 1, most: 1 },
  run: async ({ values, args: [id = ""], io, client, output }) => {
    if (values.force && !values.prefix)
      throw new LocalMistake("-force needs -prefix: it is meant for whole paths whose backend is gone.");
    if (!values.prefix) {
      await client.revokeLease(id, { signal: io.signal });
      return output.say(`Success! Revoked lease: ${id}`);
    }
    const how = values.force ? "revoke-force" : "revoke-prefix";
    const said = `Success! Revoked any leases with prefix: ${id}`;
    return writeAndSay({ client, io, output }, `sys/leases/${how}/${id}`, { sync: true }, said);
  },
});

/** `lease lookup`. */
export const lookup = vaultCommand({
  usage: "[flags] LEASE_ID",
  about: "Shows when a lease was given, and when it ends.",
  examples: ["lease lookup postgresql/creds/readonly/8e9d1c72-…"],
  flags: {},
  args: { least: 1, most: 1 },
  run: async ({ args: [id = ""], io, client, output }) => {
    const secret = await client.write("sys/leases/lookup", { lease_id: id }, { signal: io.signal });
    return secret ? output.secret(secret) : output.say(`There is no lease ${id}.`);
  },
});

/** Whole seconds of `3600` or `1h30m`. */
function secondsOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|m|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new LocalMistake(
      `${JSON.stringify(text)} is no time. Write seconds, or a duration such as ${goDuration(5400)}.`,
    );
  const seconds = { h: 3600, m: 60, s: 1 } as const;
  return Math.trunc(parts.reduce((sum, [, number, unit]) => sum + Number(number) * seconds[unit as "h"], 0));
}

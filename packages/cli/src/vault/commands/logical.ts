import type { VaultClient, VaultSecret } from "@millwright/clients/vault";
import { type Given, localFailure, remoteFailure, vaultCommand } from "../command.ts";
import { dataOf } from "../data.ts";
import type { Output } from "../output.ts";
import { warningsText } from "../warnings.ts";

/** `read`: what is at a path, be it kept or made for this reader. */
export const read = vaultCommand({
  usage: "[flags] PATH [KEY=VALUE ...]",
  about: "Reads what is at a path. Reading a role of a database makes a login, with a lease.",
  examples: ["read postgresql/creds/readonly", "read -field=password postgresql/creds/readonly"],
  flags: {},
  args: { least: 1, most: Number.POSITIVE_INFINITY },
  run: async ({ args: [path = "", ...rest], io, client, output }) => {
    const data = await dataOf(rest, io);
    const query = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, asQuery(value)]));
    const secret = await client.read(path, { query, signal: io.signal });
    if (!secret) return nothingAt(io, path);
    return output.secret(secret);
  },
});

/** `write`: data for a path. */
export const write = vaultCommand({
  usage: "[flags] PATH KEY=VALUE ...",
  about: "Writes data to a path: KEY=VALUE, KEY=@FILE, KEY=- (from standard input), @FILE or - (a JSON object).",
  examples: ["write postgresql/roles/readonly sql=- < readonly-role.sql", "write -f database/rotate-root/my-db"],
  flags: {
    force: { kind: "bool", help: "Write without data; for paths that need none." },
    f: { kind: "bool", help: "The same as -force." },
  },
  args: { least: 1, most: Number.POSITIVE_INFINITY },
  run: async ({ values, args: [path = "", ...rest], io, client, output }) => {
    if (rest.length === 0 && !values.force && !values.f) {
      await io.stderr("Must supply data or use -force\nWrite KEY=VALUE, or -force where the path needs no data.\n");
      return localFailure;
    }
    const secret = await client.write(path, await dataOf(rest, io), { signal: io.signal });
    return secret ? output.secret(secret) : output.say(`Success! Data written to: ${withoutSlash(path)}`);
  },
});

/** `patch`: some fields of what is at a path. */
export const patch = vaultCommand({
  usage: "[flags] PATH KEY=VALUE ...",
  about: "Changes the named fields of what is at a path, and leaves the others.",
  examples: ["patch secret/data/app data=@fields.json"],
  flags: {},
  args: { least: 2, most: Number.POSITIVE_INFINITY },
  run: async ({ args: [path = "", ...rest], io, client, output }) => {
    const secret = await client.patch(path, await dataOf(rest, io), { signal: io.signal });
    return secret ? output.secret(secret) : output.say(`Success! Data patched at: ${withoutSlash(path)}`);
  },
});

/** `list`: the names under a path. */
export const list = vaultCommand({
  usage: "[flags] PATH",
  about: "Lists the names under a path; folders have a slash behind.",
  examples: ["list secret/metadata/", "list sys/leases/lookup/postgresql/creds/readonly"],
  flags: {},
  args: { least: 1, most: 1 },
  run: async ({ args: [path = ""], io, client, output }) => {
    const names = await client.list(path, { signal: io.signal });
    if (!names) return noNamesAt(io, output, path);
    return output.table(
      ["Keys"],
      names.map((name) => [name]),
      names,
    );
  },
});

/** `delete`: what is at a path. */
export const deletePath = vaultCommand({
  usage: "[flags] PATH",
  about: "Deletes what is at a path; that nothing is there is no error.",
  examples: ["delete secret/data/app"],
  flags: {},
  args: { least: 1, most: 1 },
  run: async ({ args: [path = ""], io, client, output }) => {
    const secret = await client.delete(path, { signal: io.signal });
    return secret
      ? output.secret(secret)
      : output.say(`Success! Data deleted (if it existed) at: ${withoutSlash(path)}`);
  },
});

/** `unwrap`: what a single-use token stands for. */
export const unwrap = vaultCommand({
  usage: "[flags] [TOKEN]",
  about: "Gives what was wrapped in a single-use token: the one that is named, or the client's own.",
  examples: ["unwrap hvs.CAESI…"],
  flags: {},
  args: { least: 0, most: 1 },
  run: async ({ args: [token], io, client, output }) => {
    const body = token === undefined ? {} : { token };
    const secret = await client.write("sys/wrapping/unwrap", body, { signal: io.signal });
    return secret ? output.secret(secret) : output.say("Nothing was wrapped in it.");
  },
});

/** The same of a list: programs get an empty object. */
export async function noNamesAt(io: Given["io"], output: Output, path: string): Promise<number> {
  if (output.format === "table") return nothingAt(io, path);
  await output.rows([], {});
  return remoteFailure;
}

/** Says that a path holds nothing; the exit code of that. */
export async function nothingAt(io: Given["io"], path: string): Promise<number> {
  await io.stderr(`No value found at ${withoutSlash(path)}\n`);
  return remoteFailure;
}

export function withoutSlash(path: string): string {
  return path.replace(/^\/+|\/+$/g, "");
}

/** Writes, and prints what the server answers, or else `done`. */
export async function writeAndSay(
  { client, io, output }: { readonly client: VaultClient; readonly io: Given["io"]; readonly output: Output },
  path: string,
  data: unknown,
  done: string,
): Promise<number> {
  const secret: VaultSecret | undefined = await client.write(path, data, { signal: io.signal });
  if (secret && secret.warnings.length > 0) await io.stderr(warningsText(secret.warnings));
  return output.say(done);
}

function asQuery(value: unknown): string | readonly string[] {
  return Array.isArray(value) ? value.map(String) : String(value);
}

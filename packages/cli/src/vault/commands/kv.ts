import type { VaultClient, VaultSecret } from "@millwright/clients/vault";
import { type Given, LocalMistake, vaultCommand } from "../command.ts";
import { dataOf } from "../data.ts";
import { goValue } from "../go-value.ts";
import { keyValueTable, type Row, titled } from "../output.ts";
import { noNamesAt, nothingAt, withoutSlash } from "./logical.ts";

/** Where a secret of the kv engine is: its mount (ends with a slash), the path below it, and the mount's version. */
interface Place {
  readonly mount: string;
  readonly below: string;
  readonly version: 1 | 2;
}

const mountFlag = {
  mount: { kind: "string", value: "PATH", help: "Where the engine is enabled; PATH is then below it." },
} as const;

/** `kv get`. */
export const kvGet = vaultCommand({
  usage: "[flags] PATH",
  about: "Shows a secret; of version 2 also when it was written.",
  examples: ["kv get secret/app", "kv get -version=1 -field=password secret/app"],
  flags: { version: { kind: "int", value: "N", help: "This version of it; the newest by default." }, ...mountFlag },
  args: { least: 1, most: 1 },
  run: async (given) => {
    const { values, io, client, output } = given;
    const place = await placeOf(given);
    if (place.version === 1) {
      const secret = await client.read(pathIn(place), { signal: io.signal });
      return secret ? output.secret(secret) : nothingAt(io, pathIn(place));
    }
    const path = pathIn(place, "data");
    const query = values.version === undefined ? {} : { query: { version: String(values.version) } };
    const secret = await client.read(path, { ...query, signal: io.signal });
    if (!secret) return nothingAt(io, path);
    if (secret.wrapInfo) return output.secret(secret);
    const data = objectOf(secret.data?.data);
    if (output.field !== undefined) return output.rows(sortedRows(data), data);
    if (output.format !== "table") return output.secret(secret);
    await io.stdout(`${titled("Secret Path", `${path}\n`)}\n${metadataText(objectOf(secret.data?.metadata))}`);
    if (Object.keys(data).length > 0) await io.stdout(`\n${titled("Data", keyValueTable(sortedRows(data)))}`);
    return 0;
  },
});

/** `kv put`. */
export const kvPut = vaultCommand({
  usage: "[flags] PATH KEY=VALUE ...",
  about: "Writes a secret: of version 2 a new version of it.",
  examples: ["kv put secret/app username=app password=@password", "kv put -cas=1 secret/app password=-"],
  flags: {
    cas: { kind: "int", value: "N", help: "Write only where this is the newest version; 0: only a new one." },
    ...mountFlag,
  },
  args: { least: 2, most: Number.POSITIVE_INFINITY },
  run: (given) => writeSecret(given, "put"),
});

/** `kv patch`. */
export const kvPatch = vaultCommand({
  usage: "[flags] PATH KEY=VALUE ...",
  about: "Changes the named fields of a secret of version 2, and leaves the others.",
  examples: ["kv patch secret/app password=@password"],
  flags: { cas: { kind: "int", value: "N", help: "Write only where this is the newest version." }, ...mountFlag },
  args: { least: 2, most: Number.POSITIVE_INFINITY },
  run: (given) => writeSecret(given, "patch"),
});

async function writeSecret(
  given: Given<{ cas: { kind: "int"; help: string }; mount: { kind: "string"; help: string } }>,
  how: "put" | "patch",
): Promise<number> {
  const { values, args, io, client, output } = given;
  const data = await dataOf(args.slice(1), io);
  const place = await placeOf(given);
  if (place.version === 1) {
    if (how === "patch") throw new LocalMistake("Only version 2 of the engine can change single fields. Use kv put.");
    await client.write(pathIn(place), data, { signal: io.signal });
    return output.say(`Success! Data written to: ${pathIn(place)}`);
  }
  const body = { data, options: values.cas === undefined ? {} : { cas: values.cas } };
  const path = pathIn(place, "data");
  const secret = await (how === "put" ? client.write : client.patch).call(client, path, body, { signal: io.signal });
  if (!secret) return output.say(`Success! Data written to: ${path}`);
  if (output.format !== "table" || output.field !== undefined || secret.wrapInfo) return output.secret(secret);
  await io.stdout(`${titled("Secret Path", `${path}\n`)}\n${metadataText(objectOf(secret.data))}`);
  return 0;
}

/** `kv list`. */
export const kvList = vaultCommand({
  usage: "[flags] PATH",
  about: "Lists the names under a path.",
  examples: ["kv list secret/"],
  flags: mountFlag,
  args: { least: 1, most: 1 },
  run: async (given) => {
    const { io, client, output } = given;
    const path = pathIn(await placeOf(given), "metadata");
    const names = await client.list(path, { signal: io.signal });
    if (!names) return noNamesAt(io, output, path);
    return output.table(
      ["Keys"],
      names.map((name) => [name]),
      names,
    );
  },
});

const versionsFlag = { versions: { kind: "string", value: "N,N", help: "Which versions." } } as const;

/** `kv delete`: of version 2 the newest version, or those that are named. */
export const kvDelete = vaultCommand({
  usage: "[flags] PATH",
  about: "Deletes a secret: of version 2 its newest version, which can be brought back (kv undelete).",
  examples: ["kv delete secret/app", "kv delete -versions=1,2 secret/app"],
  flags: { ...versionsFlag, ...mountFlag },
  args: { least: 1, most: 1 },
  run: async (given) => {
    const place = await placeOf(given);
    if (given.values.versions !== undefined)
      return changeVersions(given, place, "delete", "Data deleted (if it existed) at");
    const path = place.version === 1 ? pathIn(place) : pathIn(place, "data");
    await given.client.delete(path, { signal: given.io.signal });
    return given.output.say(`Success! Data deleted (if it existed) at: ${path}`);
  },
});

/** `kv undelete`. */
export const kvUndelete = vaultCommand({
  usage: "-versions=N,N PATH",
  about: "Brings deleted versions back.",
  examples: ["kv undelete -versions=3 secret/app"],
  flags: { ...versionsFlag, ...mountFlag },
  args: { least: 1, most: 1 },
  run: async (given) => changeVersions(given, await placeOf(given), "undelete", "Data written to"),
});

/** `kv destroy`. */
export const kvDestroy = vaultCommand({
  usage: "-versions=N,N PATH",
  about: "Deletes versions for good.",
  examples: ["kv destroy -versions=1,2 secret/app"],
  flags: { ...versionsFlag, ...mountFlag },
  args: { least: 1, most: 1 },
  run: async (given) => changeVersions(given, await placeOf(given), "destroy", "Data written to"),
});

async function changeVersions(
  { values, io, client, output }: Given<typeof versionsFlag>,
  place: Place,
  how: "delete" | "undelete" | "destroy",
  said: string,
): Promise<number> {
  const versions = (values.versions ?? "").split(",").filter(Boolean).map(Number);
  if (place.version === 1) throw new LocalMistake(`${place.mount} is of version 1, which keeps no versions.`);
  if (versions.length === 0 || versions.some((version) => !Number.isInteger(version) || version < 1))
    throw new LocalMistake("Name the versions: -versions=1,2");
  const path = pathIn(place, how);
  await client.write(path, { versions }, { signal: io.signal });
  return output.say(`Success! ${said}: ${path}`);
}

/** `kv metadata get`. */
export const kvMetadataGet = vaultCommand({
  usage: "[flags] PATH",
  about: "Shows what is known of a secret and of each of its versions.",
  examples: ["kv metadata get secret/app"],
  flags: mountFlag,
  args: { least: 1, most: 1 },
  run: async (given) => {
    const { io, client, output } = given;
    const path = pathIn(await placeOf(given), "metadata");
    const secret = await client.read(path, { signal: io.signal });
    if (!secret) return nothingAt(io, path);
    if (output.format !== "table" || output.field !== undefined || secret.wrapInfo) return output.secret(secret);
    const { versions, ...rest } = objectOf(secret.data);
    await io.stdout(`${titled("Metadata Path", `${path}\n`)}\n${metadataText(rest)}`);
    for (const [version, of] of Object.entries(objectOf(versions)).sort(([a], [b]) => Number(a) - Number(b)))
      await io.stdout(`\n${titled(`Version ${version}`, keyValueTable(sortedRows(objectOf(of))))}`);
    return 0;
  },
});

/** `kv metadata put`. */
export const kvMetadataPut = vaultCommand({
  usage: "[flags] PATH",
  about: "Says how many versions of a secret are kept and for how long, and what else is known of it.",
  examples: ["kv metadata put -max-versions=5 secret/app"],
  flags: {
    "max-versions": { kind: "int", value: "N", help: "How many versions are kept; 0 for what the engine says." },
    "cas-required": { kind: "bool", help: "Every write has to name the version that it follows (-cas)." },
    "delete-version-after": { kind: "string", value: "TIME", help: "How long a version lives: 720h." },
    "custom-metadata": { kind: "strings", value: "KEY=VALUE", help: "Kept with it; may be given several times." },
    ...mountFlag,
  },
  args: { least: 1, most: 1 },
  run: async (given) => {
    const { values, io, client, output } = given;
    const place = await placeOf(given);
    if (place.version === 1) throw new LocalMistake(`${place.mount} is of version 1, which keeps no metadata.`);
    const settings = {
      max_versions: values["max-versions"],
      cas_required: values["cas-required"] || undefined,
      delete_version_after: values["delete-version-after"],
      custom_metadata: values["custom-metadata"].length > 0 ? await dataOf(values["custom-metadata"], io) : undefined,
    };
    const body = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    const path = pathIn(place, "metadata");
    await client.write(path, body, { signal: io.signal });
    return output.say(`Success! Data written to: ${path}`);
  },
});

/** `kv metadata delete`. */
export const kvMetadataDelete = vaultCommand({
  usage: "[flags] PATH",
  about: "Deletes a secret with all its versions for good.",
  examples: ["kv metadata delete secret/app"],
  flags: mountFlag,
  args: { least: 1, most: 1 },
  run: async (given) => {
    const path = pathIn(await placeOf(given), "metadata");
    await given.client.delete(path, { signal: given.io.signal });
    return given.output.say(`Success! Data deleted (if it existed) at: ${path}`);
  },
});

async function placeOf({
  args: [given = ""],
  values,
  client,
  io,
}: Pick<Given<typeof mountFlag>, "args" | "values" | "client" | "io">): Promise<Place> {
  const path = withoutSlash(given);
  const asked = values.mount === undefined ? path : `${withoutSlash(values.mount)}/${path}`;
  const { mount, version } = await mountOf(client, asked, io.signal);
  if (!`${asked}/`.startsWith(mount)) return { mount, below: path, version };
  return { mount, below: withoutSlash(asked.slice(mount.length)), version };
}

async function mountOf(
  client: VaultClient,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly mount: string; readonly version: 1 | 2 }> {
  const secret: VaultSecret | undefined = await client.read(`sys/internal/ui/mounts/${path}`, {
    signal,
    // What the command itself has to know is not for a token.
    wrapTtl: "",
  });
  const options = objectOf(secret?.data?.options);
  const mount = String(secret?.data?.path ?? "");
  if (mount === "") throw new LocalMistake(`Nothing is enabled at ${path}. See what is: vault secrets list.`);
  return { mount, version: options.version === "2" ? 2 : 1 };
}

function pathIn({ mount, below, version }: Place, kind?: string): string {
  const middle = version === 2 && kind !== undefined ? `${kind}/` : "";
  return withoutSlash(`${mount}${middle}${below}`);
}

function metadataText(metadata: Readonly<Record<string, unknown>>): string {
  return titled("Metadata", keyValueTable(sortedRows(metadata)));
}

function sortedRows(data: Readonly<Record<string, unknown>>): Row[] {
  return Object.entries(data)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, goValue(value)]);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

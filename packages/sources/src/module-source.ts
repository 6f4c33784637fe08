import { posix } from "node:path";
import { defaultRegistry } from "./provider-source.ts";

/** What a module call's `source` says: a folder beside, a name in a registry, or something to be fetched. */
export type ModuleSource = LocalSource | RegistrySource | RemoteSource;

export interface LocalSource {
  readonly kind: "local";
  readonly path: string;
}

export interface RegistrySource {
  readonly kind: "registry";
  readonly host: string;
  readonly namespace: string;
  readonly name: string;
  readonly system: string;
  /** The part of the package that is meant; empty for all of it. */
  readonly subfolder: string;
}

/** What fetches a module: a repository's program, a request, a copy, or a store of objects. */
export type Getter = "git" | "hg" | "http" | "file" | "s3" | "gcs";

/** Something to be fetched, spelt out as manifests note it: `git::https://github.com/a/b.git`. */
export interface RemoteSource {
  readonly kind: "remote";
  readonly getter: Getter;
  /** The whole package's address with its options, without the getter's name and the subfolder. */
  readonly address: string;
  readonly subfolder: string;
}

/** A source that nothing here fetches: why, in a sentence. */
export interface BadSource {
  readonly kind: "bad";
  readonly reason: string;
}

/**
 * Reads a `source`. Sources: Terraform's documentation of module sources; the ways of writing an address are those of HashiCorp's
 * go-getter, as that describes them.
 */
export function parseModuleSource(text: string): ModuleSource | BadSource {
  if (/^\.{1,2}(\/|$)/.test(text)) return { kind: "local", path: cleanPath(text) };
  return parseRegistrySource(text) ?? parseRemoteSource(text);
}

/** `[HOST/]NAMESPACE/NAME/SYSTEM[//SUBFOLDER]`; undefined where it is not of that form. */
export function parseRegistrySource(text: string): RegistrySource | undefined {
  const { address, subfolder } = splitSubfolder(text);
  const parts = address.split("/");
  const [host, ...names] = parts.length === 4 ? parts : [defaultRegistry, ...parts];
  if (names.length !== 3 || /[?:]/.test(names.join(""))) return undefined;
  const [namespace = "", name = "", system = ""] = names;
  const isNamed = [namespace, name].every((part) => /^[0-9A-Za-z](?:[0-9A-Za-z-_]{0,62}[0-9A-Za-z])?$/.test(part));
  if (!isNamed || !/^[0-9a-z]{1,64}$/.test(system)) return undefined;
  // Three parts that begin with one of these are an address of theirs; a registry's host has a dot.
  if (["github.com", "bitbucket.org", "gitlab.com"].includes(host!) || !host!.includes(".")) return undefined;
  return { kind: "registry", host: host!.toLowerCase(), namespace, name, system, subfolder };
}

/** How a source is noted and told: spelt out, the subfolder before the options. */
export function moduleSourceText(source: ModuleSource): string {
  switch (source.kind) {
    case "local":
      return source.path;
    case "registry": {
      const { host, namespace, name, system, subfolder } = source;
      return `${host}/${namespace}/${name}/${system}${subfolder === "" ? "" : `//${subfolder}`}`;
    }
    case "remote": {
      const [address, query] = splitQuery(source.address);
      const folder = source.subfolder === "" ? "" : `//${source.subfolder}`;
      return `${prefixOf(source)}${address}${folder}${query}`;
    }
  }
}

/** An address as it may be shown: without its login, and of its options only those that hold no key or signature. */
export function shownSource(text: string): string {
  return text
    .replaceAll(loginOfWeb, "$1")
    .replaceAll(passwordOfShell, "$1@")
    .replaceAll(option, (whole, name: string) => (isOpen(name) ? whole : `${name}...`));
}

/** The same as long as it was: with a star for each letter that may not be shown, so that all else stays in its place. */
export function maskedSource(text: string): string {
  const starred = (whole: string, shown: string) => shown + "*".repeat(whole.length - shown.length);
  return text
    .replaceAll(loginOfWeb, (whole, shown: string) => `${starred(whole.slice(0, -1), shown)}@`)
    .replaceAll(passwordOfShell, (whole, shown: string) => `${starred(whole.slice(0, -1), `${shown}:`)}@`)
    .replaceAll(option, (whole, name: string) => (isOpen(name) ? whole : starred(whole, name)));
}

const loginOfWeb = /(https?:\/\/)[^/@\s]*@/gi;
const passwordOfShell = /(ssh:\/\/[^/@:\s]*):[^/@\s]*@/gi;
const option = /([?&][^=&\s]+=)[^&\s]+/g;

function isOpen(name: string): boolean {
  return ["ref", "rev", "depth", "archive", "checksum", "region", "version"].includes(name.slice(1, -1));
}

/** The package alone, without the subfolder that is meant of it. */
export function packageText(source: RegistrySource | RemoteSource): string {
  return moduleSourceText({ ...source, subfolder: "" });
}

/** What may stand in front of `::`. */
const getters: readonly string[] = ["git", "hg", "http", "https", "file", "s3", "gcs"];

/** Which schemes each getter takes that is named in front of an address. */
const forcedSchemes: Readonly<Record<string, readonly string[]>> = {
  git: ["https", "http", "ssh", "git", "file"],
  hg: ["https", "http", "ssh", "file"],
  s3: ["https", "http"],
  gcs: ["https"],
};

/** Reads an address of something to be fetched. */
export function parseRemoteSource(text: string): RemoteSource | BadSource {
  const source = readRemoteSource(text);
  return source.kind === "bad" || isAddress(source.address) ? source : bad("what it names is no whole address");
}

/** Whether it is a URL in which each percent sign stands for a character. */
function isAddress(text: string): boolean {
  const url = URL.parse(text);
  try {
    if (url) decodeURIComponent(url.username + url.password + url.pathname);
    return url !== null;
  } catch {
    return false;
  }
}

function readRemoteSource(text: string): RemoteSource | BadSource {
  const forced = /^([a-z0-9]+)::(.*)$/s.exec(text);
  const getter = forced?.[1];
  const { address, subfolder } = splitSubfolder(forced?.[2] ?? text);
  if (getter !== undefined && !getters.includes(getter)) return unfetched(getter, text);
  const shorthand = getter === undefined || getter === "git" ? gitShorthand(address) : undefined;
  if (shorthand !== undefined) {
    const [path, query] = splitQuery(shorthand.address);
    return { kind: "remote", getter: "git", address: `${path}${query}`, subfolder: subfolder || shorthand.subfolder };
  }
  const stored = getter === undefined ? storeShorthand(address) : undefined;
  if (stored !== undefined) return { kind: "remote", ...stored, subfolder };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase();
  if (getter === "git" || getter === "hg" || getter === "s3" || getter === "gcs") {
    const schemes = forcedSchemes[getter]!;
    const whole = schemes.includes("file") && address.startsWith("/") ? `file://${address}` : address;
    if (schemes.includes(/^([a-z]+):/i.exec(whole)?.[1]?.toLowerCase() ?? ""))
      return { kind: "remote", getter, address: whole, subfolder };
    return bad(`the address behind ${getter}:: begins with none of ${schemes.map((one) => `${one}://`).join(", ")}`);
  }
  if (scheme === "http" || scheme === "https") return { kind: "remote", getter: "http", address, subfolder };
  if (scheme === "file" || address.startsWith("/")) {
    const path = scheme === "file" ? address.slice("file://".length) : address;
    return { kind: "remote", getter: "file", address: `file://${path}`, subfolder };
  }
  return scheme === undefined
    ? bad(
        `it is neither a path that begins with ./ or ../, nor a name in a registry, nor an address. A folder beside this one would be "./${text}"`,
      )
    : unfetched(scheme, text);
}

// Without steps that lead nowhere; it still begins with a dot.
function cleanPath(text: string): string {
  const path = posix.normalize(text).replace(/(?<=.)\/$/, "");
  if (path === "." || path === "..") return `${path}/`;
  return path.startsWith("../") ? path : `./${path}`;
}

function prefixOf({ getter, address }: RemoteSource): string {
  if (getter === "file" || (getter === "http" && /^https?:/.test(address))) return "";
  return `${getter}::`;
}

// `BUCKET.s3.amazonaws.com/KEY`, `s3-REGION.amazonaws.com/BUCKET/KEY`, `www.googleapis.com/storage/v1/BUCKET/KEY`.
function storeShorthand(address: string): Pick<RemoteSource, "getter" | "address"> | undefined {
  const [, bucket, host, path] = /^(?:([^/?]+)\.)?(s3[^/?]*\.amazonaws\.com(?:\.cn)?)\/(.+)$/.exec(address) ?? [];
  if (host) return { getter: "s3", address: `https://${host}/${bucket === undefined ? "" : `${bucket}/`}${path}` };
  const isGoogle = /^[^/?]+\.googleapis\.com\/storage\//.test(address);
  return isGoogle ? { getter: "gcs", address: `https://${address}` } : undefined;
}

// `github.com/a/b/sub`, `bitbucket.org/a/b`, `git@host:a/b.git`.
function gitShorthand(address: string): { readonly address: string; readonly subfolder: string } | undefined {
  const hosted = /^(github\.com|gitlab\.com|bitbucket\.org)\/([^/?]+)\/([^/?]+)([^?]*)(\?.*)?$/.exec(address);
  if (hosted) {
    const [, host, owner, repository, rest = "", query = ""] = hosted;
    const name = repository!.endsWith(".git") ? repository : `${repository}.git`;
    return { address: `https://${host}/${owner}/${name}${query}`, subfolder: rest.replaceAll(/^\/+|\/+$/g, "") };
  }
  const secureShell = /^(?:ssh:\/\/)?([A-Za-z0-9_.-]+)@([^/:?]+):(?!\d+\/)([^?]*)(\?.*)?$/.exec(address);
  if (!secureShell) return undefined;
  const [, user, host, path, query = ""] = secureShell;
  return { address: `ssh://${user}@${host}/${path!.replace(/^\/+/, "")}${query}`, subfolder: "" };
}

/** Takes off what stands behind `//` (not that of `https://`); the options stay with the address. */
function splitSubfolder(text: string): { readonly address: string; readonly subfolder: string } {
  const [path, query] = splitQuery(text);
  const scheme = path.indexOf("://");
  const cut = path.indexOf("//", scheme < 0 ? 0 : scheme + 3);
  if (cut < 0 || path.startsWith("//")) return { address: text, subfolder: "" };
  return { address: `${path.slice(0, cut)}${query}`, subfolder: path.slice(cut + 2).replaceAll(/^\/+|\/+$/g, "") };
}

function splitQuery(text: string): readonly [string, string] {
  const mark = text.indexOf("?");
  return mark < 0 ? [text, ""] : [text.slice(0, mark), text.slice(mark)];
}

function unfetched(getter: string, text: string): BadSource {
  return bad(`${shownSource(text)} is fetched by ${getter}, which is not there. There are ${getters.join(", ")}`);
}

function bad(reason: string): BadSource {
  return { kind: "bad", reason };
}

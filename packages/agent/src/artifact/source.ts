import { shownUrl } from "@millwright/artifact/shown-url";
import { OperationalError } from "@millwright/core/errors";
import type { ArchiveKind } from "@millwright/artifact/archive-kind";
import { archiveKindNamed, archiveKindOf, archiveKinds } from "@millwright/artifact/archive-kind";
import type { ChecksumWanted } from "@millwright/artifact/checksum";
import { parseChecksum } from "@millwright/artifact/checksum";
import { artifactErrors } from "@millwright/artifact/errors";

/** Where an artifact is and what is to be made of it. */
export interface ArtifactSource {
  readonly location: Location;
  /** What stands behind `//` in the source: only this part of the archive is meant. Empty for all of it. */
  readonly subfolder: string;
  /** What a file of it is called. */
  readonly filename: string;
  /** Undefined for a file that stays as it is. */
  readonly archive: ArchiveKind | undefined;
  readonly checksum: ChecksumWanted | undefined;
}

export type Location =
  | { readonly kind: "http"; readonly url: URL }
  /** An absolute path on the node. */
  | { readonly kind: "path"; readonly path: string };

/**
 * Reads a source with its options, which may stand in its query too: `archive`, `checksum` and `filename` are meant for us,
 * all others belong to the address. Throws `refused` for what nothing here fetches. Source: the addresses of HashiCorp's
 * go-getter, as Nomad's documentation of `artifact` describes them.
 */
export function parseSource(source: string, options: Readonly<Record<string, string>>): ArtifactSource {
  const { location, query } = parseLocation(source.trim());
  for (const [name, value] of Object.entries(options)) query.append(name, value);
  const own = { archive: take(query, "archive"), checksum: take(query, "checksum"), filename: take(query, "filename") };
  const whole = location.kind === "http" ? decoded(location.url.pathname, source) : location.path;
  const cut = whole.indexOf("//", 1);
  const path = cut < 0 ? whole : whole.slice(0, cut);
  const subfolder = cut < 0 ? "" : whole.slice(cut).replaceAll(/^\/+|\/+$/g, "");
  if (location.kind === "http") {
    if (cut >= 0) location.url.pathname = encodePath(path);
    location.url.search = query.toString();
    location.url.hash = "";
  }
  return {
    location: location.kind === "http" ? location : { kind: "path", path },
    subfolder,
    filename: filenameOf(own.filename, path),
    archive: archiveOf(own.archive, path),
    checksum: own.checksum === undefined ? undefined : parseChecksum(own.checksum),
  };
}

/** A location as it may be shown: without its login and without its query, which may hold a signature or a token. */
export function shownLocation(location: Location): string {
  return location.kind === "http" ? shownUrl(location.url) : location.path;
}

function parseLocation(text: string): { readonly location: Location; readonly query: URLSearchParams } {
  const forced = /^([a-z0-9]+)::(.*)$/s.exec(text);
  const [, getter, address] = forced ?? [undefined, undefined, text];
  if (getter !== undefined && !["http", "https", "file"].includes(getter)) throw unsupported(`${getter}::`, text);
  if (address!.startsWith("/")) return pathLocation(address!);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address!)?.[1]?.toLowerCase();
  if (scheme === "file") return pathLocation(address!.slice("file://".length).replace(/^localhost\//, "/"), "decode");
  if (scheme !== "http" && scheme !== "https")
    throw unsupported(scheme === undefined ? undefined : `${scheme}://`, text);
  if (!URL.canParse(address!)) throw refused(`The artifact's source ${withoutQuery(text)} is no address. Correct it.`);
  const url = new URL(address!);
  return { location: { kind: "http", url }, query: new URLSearchParams(url.search) };
}

function pathLocation(text: string, encoding?: "decode"): { location: Location; query: URLSearchParams } {
  const mark = text.indexOf("?");
  const raw = mark < 0 ? text : text.slice(0, mark);
  const path = encoding ? decoded(raw, raw) : raw;
  if (!path.startsWith("/") || path.includes("\0"))
    throw refused(`The artifact's source file://${raw} is no absolute path. Write file:///path/on/the/node.`);
  return { location: { kind: "path", path }, query: new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)) };
}

function unsupported(what: string | undefined, text: string): OperationalError {
  const shown = withoutQuery(text);
  const instead = /s3/i.test(what ?? shown)
    ? " An object of S3 has an https address: https://BUCKET.s3.amazonaws.com/KEY, with a signed query where it is not public."
    : what === undefined && /^[\w.-]+\.[a-z]{2,}\//i.test(shown)
      ? ` Did you mean https://${shown}?`
      : "";
  const lead = what === undefined ? `has no scheme` : `begins with ${what}, which nothing here fetches`;
  return refused(
    `The artifact's source ${shown} ${lead}. Write an address that begins with http://, https:// or file://.${instead}`,
  );
}

function take(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  query.delete(name);
  return value === null || value === "" ? undefined : value;
}

function filenameOf(wanted: string | undefined, path: string): string {
  const name = wanted ?? path.slice(path.lastIndexOf("/") + 1);
  if (wanted !== undefined && (/[/\0]/.test(name) || name === "." || name === ".."))
    throw refused(
      `The artifact's filename ${JSON.stringify(name)} is more than a name. Say the folder in destination.`,
    );
  return name === "." || name === ".." ? "" : name;
}

// As Go reads truth: 1, t, T, TRUE, true, True.
function archiveOf(wanted: string | undefined, path: string): ArchiveKind | undefined {
  if (wanted === undefined || /^(1|t|true)$/i.test(wanted)) return archiveKindOf(path);
  if (/^(0|f|false)$/i.test(wanted)) return undefined;
  const kind = archiveKindNamed(wanted);
  if (kind) return kind;
  const known = archiveKinds.map(({ name }) => name).join(", ");
  throw refused(`There is no archive format ${JSON.stringify(wanted)}. Write false, or one of ${known}.`);
}

function decoded(text: string, source: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // The only thing it throws is URIError, for bytes that are no UTF-8.
    throw refused(
      `The artifact's source ${withoutQuery(source)} holds a % that encodes nothing. Write %25 for a percent sign.`,
    );
  }
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function withoutQuery(text: string): string {
  return text.replace(/\?.*$/s, "").replace(/\/\/[^/@]*@/, "//");
}

function refused(message: string): OperationalError {
  return new OperationalError(artifactErrors.refused, message);
}

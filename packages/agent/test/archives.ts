import { type TarHeader, packTar } from "modern-tar";
import { crc32 } from "node:zlib";

/** One entry of an archive made for a test: a text is a file's. */
export type TestEntry = { readonly name: string; readonly mode?: number } & (
  | { readonly text: string }
  | { readonly folder: true }
  | { readonly link: string }
  | { readonly hardLink: string }
  | { readonly special: "character-device" | "fifo" }
);

/** A tar archive's bytes, as wrong as its entries say. */
export function tarOf(entries: readonly TestEntry[]): Promise<Uint8Array> {
  return packTar(entries.map((entry) => ({ header: headerOf(entry), ...("text" in entry && { body: entry.text }) })));
}

/** A zip archive's bytes, stored and not deflated. Source: PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16. */
export function zipOf(entries: readonly TestEntry[]): Uint8Array {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const body = Buffer.from("text" in entry ? entry.text : "link" in entry ? entry.link : "");
    const format = "folder" in entry ? 0o040000 : "link" in entry ? 0o120000 : 0o100000;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(name.length, 22);
    const central = Buffer.alloc(14);
    central.writeUInt32LE(((format | (entry.mode ?? 0o644)) << 16) >>> 0, 6);
    central.writeUInt32LE(offset, 10);
    locals.push(Buffer.concat([Buffer.from("PK\x03\x04"), common, name, body]));
    centrals.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x03"), common, central, name]));
    offset += locals.at(-1)!.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from("PK\x05\x06"), end]);
}

function headerOf(entry: TestEntry): TarHeader {
  const { name, mode = 0o644 } = entry;
  if ("text" in entry) return { name, mode, type: "file", size: Buffer.byteLength(entry.text) };
  if ("folder" in entry) return { name, mode, type: "directory", size: 0 };
  if ("link" in entry) return { name, mode, type: "symlink", size: 0, linkname: entry.link };
  if ("hardLink" in entry) return { name, mode, type: "link", size: 0, linkname: entry.hardLink };
  return { name, mode, type: entry.special, size: 0 };
}

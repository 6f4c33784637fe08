/** How the bytes of an archive are packed. */
export interface ArchiveKind {
  /** As jobs name it: `tar.gz`. */
  readonly name: string;
  /** `single` is one file that is only compressed. */
  readonly form: "tar" | "zip" | "single";
  readonly compression: Compression;
}

export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

/** All that can be unpacked, longer names first, so that `tar.gz` is found before `gz`. */
export const archiveKinds: readonly ArchiveKind[] = [
  { name: "tar.bz2", form: "tar", compression: "bzip2" },
  { name: "tar.zst", form: "tar", compression: "zstd" },
  { name: "tar.gz", form: "tar", compression: "gzip" },
  { name: "tar.xz", form: "tar", compression: "xz" },
  { name: "tbz2", form: "tar", compression: "bzip2" },
  { name: "tzst", form: "tar", compression: "zstd" },
  { name: "tgz", form: "tar", compression: "gzip" },
  { name: "txz", form: "tar", compression: "xz" },
  { name: "tar", form: "tar", compression: "none" },
  { name: "zip", form: "zip", compression: "none" },
  { name: "bz2", form: "single", compression: "bzip2" },
  { name: "zst", form: "single", compression: "zstd" },
  { name: "gz", form: "single", compression: "gzip" },
  { name: "xz", form: "single", compression: "xz" },
];

/** The kind that a file's name tells; undefined for a plain file. */
export function archiveKindOf(filename: string): ArchiveKind | undefined {
  const lower = filename.toLowerCase();
  return archiveKinds.find(({ name }) => lower.endsWith(`.${name}`));
}

export function archiveKindNamed(name: string): ArchiveKind | undefined {
  return archiveKinds.find((kind) => kind.name === name);
}

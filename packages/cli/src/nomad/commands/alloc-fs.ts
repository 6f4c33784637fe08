import type { FileFrame } from "@millwright/clients/nomad-files";
import type { FileInfo } from "@millwright/clients/nomad-records";
import type { FlagValues } from "../../flags.ts";
import type { CommandIo } from "../../io.ts";
import { nomadCommand, Refusal } from "../command.ts";
import { findAllocation, findAllocationOfJob } from "../find.ts";
import { bytes, momentOf, table } from "../format.ts";
import { lastLines, pass } from "../tail.ts";
import { stoppedReading } from "./alloc-logs.ts";

const flags = {
  H: { kind: "bool", help: "Show sizes in bytes." },
  stat: { kind: "bool", help: "Show what is at the path, and not what it holds." },
  f: { kind: "bool", help: "Go on with what is written later, until ^C." },
  tail: { kind: "bool", help: "Begin at the last lines." },
  n: { kind: "int", value: "N", help: "How many last lines; 10 by default. It means -tail." },
  c: { kind: "int", value: "N", help: "How many last bytes, in place of lines. It means -tail." },
  job: { kind: "bool", help: "The argument is a job: show one of its allocations, if possible one that runs." },
  verbose: { kind: "bool", help: "Show whole ids where several allocations are meant." },
} as const;

/** `alloc fs`: a folder's files, or a file's content. */
export const allocationFiles = nomadCommand({
  usage: "[flags] ALLOCATION [PATH]",
  about:
    "Shows the files of an allocation, or what one of them holds. Paths are relative to the allocation's folder; secrets are not shown.",
  examples: ["alloc fs 0af996ed", "alloc fs 0af996ed web/local/config.yml"],
  flags,
  args: { least: 1, most: 2 },
  failure: "Error reading files",
  run: async ({ values, args, io, client }) => {
    const [prefix = "", path = "/"] = args;
    const options = { signal: io.signal };
    const { ID, Namespace } = values.job
      ? await findAllocationOfJob(client, prefix, options)
      : await findAllocation(client, prefix, { ...options, verbose: values.verbose });
    const place = { ...options, namespace: Namespace };
    const found = await client.files.stat(ID, path, place);
    if (values.stat) {
      await io.stdout(listing([found], { exact: values.H, types: true }));
      return 0;
    }
    if (found.IsDir) {
      if (values.f || values.tail) throw new Refusal(`${path} is a folder: -f and -tail are for files.`);
      await io.stdout(listing(await client.files.list(ID, path, place), { exact: values.H, types: false }));
      return 0;
    }
    const file: ReadableFile = {
      size: found.Size,
      whole: () => client.files.cat(ID, path, place),
      from: (offset, limit) => client.files.readAt(ID, path, { offset, limit }, place),
      follow: (origin, offset) => client.files.follow(ID, path, { origin, offset }, place),
    };
    try {
      await printFile(file, values, io);
      return 0;
    } catch (error) {
      return stoppedReading(error, io);
    }
  },
});

/** A file of an allocation, to be read in several ways. */
interface ReadableFile {
  readonly size: number;
  whole(): AsyncIterable<Uint8Array>;
  from(offset: number, limit: number): AsyncIterable<Uint8Array>;
  /** As it grows; `offset` is behind the start or before the end. */
  follow(origin: "start" | "end", offset: number): AsyncIterable<FileFrame>;
}

async function printFile(
  file: ReadableFile,
  { f, tail, n, c }: FlagValues<typeof flags>,
  io: CommandIo,
): Promise<void> {
  const { size } = file;
  if (c !== undefined) {
    const count = Math.min(c, size);
    return f ? pass(file.follow("end", count), io) : copy(file.from(size - count, count), io);
  }
  if (!tail && n === undefined) return f ? pass(file.follow("start", 0), io) : copy(file.whole(), io);
  return lastLines({
    lines: n ?? 10,
    follow: f,
    read: ({ follow, offset }) => {
      const count = Math.min(offset, size);
      return follow ? file.follow("end", count) : framesOf(file.from(size - count, count));
    },
    io,
  });
}

async function copy(pieces: AsyncIterable<Uint8Array>, io: CommandIo): Promise<void> {
  for await (const piece of pieces) await io.stdout(piece);
}

async function* framesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<FileFrame> {
  for await (const data of pieces) yield { data, file: "", offset: 0, event: "" };
}

function listing(
  files: readonly FileInfo[],
  { exact, types }: { readonly exact: boolean; readonly types: boolean },
): string {
  const titles = ["Mode", "Size", "Modified Time", ...(types ? ["Content Type"] : []), "Name"];
  const rows = files.map(({ FileMode, Size, ModTime, ContentType, Name, IsDir }) => [
    ...[FileMode, exact ? String(Size) : bytes(Size), momentOf(ModTime)],
    ...(types ? [ContentType] : []),
    `${Name}${IsDir ? "/" : ""}`,
  ]);
  return table(titles, rows);
}

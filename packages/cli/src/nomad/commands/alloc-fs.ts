import type { FileInfo } from "@millwright/clients/nomad-records";
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
    try {
      const isTail = values.tail || values.n !== undefined || values.c !== undefined;
      if (values.f || values.c !== undefined || isTail) {
        const origin = isTail ? "end" : "start";
        const stream = (part: { readonly offset: number }) =>
          client.files.follow(ID, path, { origin, offset: Math.min(part.offset, found.Size) }, place);
        if (values.f && isTail && values.c === undefined)
          await lastLines({ lines: values.n ?? 10, follow: true, read: stream, io });
        else if (values.f) await pass(stream({ offset: values.c ?? 0 }), io);
        else
          await end(values, {
            size: found.Size,
            read: (offset, limit) => client.files.readAt(ID, path, { offset, limit }, place),
            io,
          });
      } else for await (const piece of client.files.cat(ID, path, place)) await io.stdout(piece);
      return 0;
    } catch (error) {
      return stoppedReading(error, io);
    }
  },
});

interface End {
  readonly size: number;
  read(offset: number, limit: number): AsyncIterable<Uint8Array>;
  readonly io: Parameters<typeof pass>[1];
}

/** The end of a file that is not followed. */
async function end(
  { c, n = 10 }: { readonly c?: number | undefined; readonly n?: number | undefined },
  { size, read, io }: End,
) {
  if (c !== undefined) {
    const count = Math.min(c, size);
    for await (const piece of read(size - count, count)) await io.stdout(piece);
    return;
  }
  await lastLines({
    lines: n,
    follow: false,
    read: async function* ({ offset }) {
      const count = Math.min(offset, size);
      for await (const data of read(size - count, count)) yield { data, file: "", offset: 0, event: "" };
    },
    io,
  });
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

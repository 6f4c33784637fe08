import { type NomadApi, badNomadAnswer, type NomadCallOptions, type NomadQuery, segment } from "./nomad-api.ts";
import { jsonValues } from "./json-values.ts";
import { type FileInfo, fileInfo } from "./nomad-records.ts";
import { listOf, number, record, text } from "./nomad-wire.ts";

/** A piece of a file that is followed. */
export interface FileFrame {
  /** Empty where nothing was added. */
  readonly data: Uint8Array;
  readonly file: string;
  /** Behind the piece, from the start of the file. */
  readonly offset: number;
  /** What became of the file, such as `file deleted` or `file truncated`; else empty. */
  readonly event: string;
}

export interface LogRequest {
  readonly task: string;
  readonly stream: "stdout" | "stderr";
  /** Go on with what is written later. */
  readonly follow: boolean;
  /** Where to begin: so many bytes behind the start, or before the end. */
  readonly origin: "start" | "end";
  readonly offset: number;
}

/** Files and logs of allocations, from the nodes that have them; paths are relative to the allocation's folder. */
export class NomadFiles {
  readonly #api: NomadApi;

  constructor(api: NomadApi) {
    this.#api = api;
  }

  async list(allocation: string, path: string, options: NomadCallOptions = {}): Promise<readonly FileInfo[]> {
    const request = { path: pathOf("ls", allocation), query: { path }, options };
    return (await this.#api.read(request, listOf(fileInfo))).value;
  }

  async stat(allocation: string, path: string, options: NomadCallOptions = {}): Promise<FileInfo> {
    return (await this.#api.read({ path: pathOf("stat", allocation), query: { path }, options }, fileInfo)).value;
  }

  /** A whole file, piece by piece. */
  async *cat(allocation: string, path: string, options: NomadCallOptions = {}): AsyncGenerator<Uint8Array> {
    yield* await this.#stream(pathOf("cat", allocation), { path }, options);
  }

  /** A stretch of a file. */
  async *readAt(
    allocation: string,
    path: string,
    { offset, limit }: { readonly offset: number; readonly limit: number },
    options: NomadCallOptions = {},
  ): AsyncGenerator<Uint8Array> {
    yield* await this.#stream(pathOf("readat", allocation), { path, offset, limit }, options);
  }

  /** A file as it grows. */
  async *follow(
    allocation: string,
    path: string,
    { origin, offset }: Pick<LogRequest, "origin" | "offset">,
    options: NomadCallOptions = {},
  ): AsyncGenerator<FileFrame> {
    yield* framesOf(await this.#stream(pathOf("stream", allocation), { path, origin, offset }, options));
  }

  /** What a task has written. */
  async *logs(allocation: string, request: LogRequest, options: NomadCallOptions = {}): AsyncGenerator<FileFrame> {
    const { task, stream: type, follow, origin, offset } = request;
    const query = { task, type, follow, origin, offset };
    yield* framesOf(await this.#stream(pathOf("logs", allocation), query, options));
  }

  async #stream(path: string, query: NomadQuery, options: NomadCallOptions): Promise<AsyncIterable<Uint8Array>> {
    const request = { method: "GET", path, query, options, repeatable: true, endless: true } as const;
    return (await this.#api.request(request)).stream();
  }
}

const frame = record({ Data: text, File: text, Offset: number, FileEvent: text });

// Frames without anything in them only tell that the connection lives.
async function* framesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<FileFrame> {
  for await (const json of jsonValues(stream)) {
    const { Data, File, Offset, FileEvent } = frame(parsed(json), "a frame of a file");
    if (Data === "" && FileEvent === "") continue;
    yield { data: Buffer.from(Data, "base64"), file: File, offset: Offset, event: FileEvent };
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw badNomadAnswer("following a file", `a frame is not JSON: ${json.slice(0, 200)}`, error);
  }
}

function pathOf(what: string, allocation: string): string {
  return `/v1/client/fs/${what}/${segment(allocation)}`;
}

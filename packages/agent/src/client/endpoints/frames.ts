/** A piece of a file that somebody reads, or what became of the file; an empty one says that the connection lives. */
export interface Frame {
  readonly file: string;
  /** Behind the piece, from the start of the file. */
  readonly offset: number;
  readonly data: Uint8Array;
  readonly event: "" | "file deleted" | "file truncated";
}

export const aliveFrame: Frame = { file: "", offset: 0, data: new Uint8Array(), event: "" };

/** Frames as Nomad's API sends them: JSON values, one behind the other, nothing between. What is empty is left out. */
export async function* encodeFrames(frames: AsyncIterable<Frame>): AsyncGenerator<string> {
  for await (const { file, offset, data, event } of frames) {
    yield JSON.stringify({
      ...(offset > 0 ? { Offset: offset } : {}),
      ...(data.length > 0 ? { Data: Buffer.from(data).toString("base64") } : {}),
      ...(file === "" ? {} : { File: file }),
      ...(event === "" ? {} : { FileEvent: event }),
    });
  }
}

/** The content alone. */
export async function* plainFrames(frames: AsyncIterable<Frame>): AsyncGenerator<Uint8Array> {
  for await (const { data } of frames) if (data.length > 0) yield data;
}

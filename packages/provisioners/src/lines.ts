import { StringDecoder } from "node:string_decoder";

/** Cuts what a program writes into lines. */
export class Lines {
  readonly #take: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  write(piece: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.write(Buffer.from(piece))).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(line.replace(/\r$/, ""));
  }

  /** Gives the last line, where it has no end. */
  end(): void {
    const last = this.#rest + this.#decoder.end();
    this.#rest = "";
    if (last !== "") this.#take(last);
  }
}

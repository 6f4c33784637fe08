/**
 * What a resource remembers beside its state and nobody else sees: JSON values by name. Changes made while a call runs are
 * kept with what the call answers.
 */
export class PrivateData {
  readonly #entries: Map<string, unknown>;

  private constructor(entries: Map<string, unknown>) {
    this.#entries = entries;
  }

  /** Reads what {@link toBytes} wrote; anything else (as from another maker of the same resource) is as if empty. */
  static fromBytes(bytes: Uint8Array): PrivateData {
    const parsed = parse(bytes);
    const isRecord = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return new PrivateData(new Map(isRecord ? Object.entries(parsed) : []));
  }

  /** UTF-8 JSON; no bytes at all when there are no entries. */
  toBytes(): Uint8Array {
    return this.#entries.size === 0
      ? new Uint8Array()
      : encoder.encode(JSON.stringify(Object.fromEntries(this.#entries)));
  }

  get(name: string): unknown {
    return this.#entries.get(name);
  }

  set(name: string, value: unknown): void {
    this.#entries.set(name, value);
  }

  delete(name: string): void {
    this.#entries.delete(name);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function parse(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

import { OperationalError } from "@millwright/core/errors";
import { backendErrors } from "@millwright/engine/backend/errors";

/** The arguments of a key provider or a method, evaluated: values as JSON has them, and keys of other providers. */
export class PartSettings {
  readonly address: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #keys: Readonly<Record<string, Uint8Array>>;

  constructor(address: string, values: Readonly<Record<string, unknown>>, keys: Readonly<Record<string, Uint8Array>>) {
    this.address = address;
    this.#values = values;
    this.#keys = keys;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return value === undefined || value === null ? undefined : String(value);
  }

  number(name: string): number | undefined {
    const value = this.#values[name];
    return value === undefined || value === null ? undefined : Number(value);
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  record(name: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.#values[name];
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  }

  bytes(name: string): Uint8Array | undefined {
    const value = this.#values[name];
    return Array.isArray(value) ? Uint8Array.from(value.map(Number)) : undefined;
  }

  /** What another key provider gave, where the argument names one. */
  key(name: string): Uint8Array | undefined {
    return this.#keys[name];
  }

  /** That an argument cannot be worked with. */
  wrong(why: string): OperationalError {
    return new OperationalError(backendErrors.badEncryption, `${this.address} cannot be used: ${why}.`);
  }
}

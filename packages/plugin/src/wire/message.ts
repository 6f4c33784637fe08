import { MalformedMessage, ProtobufReader, wireTypes } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** One field of a message: its number, what it is where it does not come, and its form on the wire. */
export interface Field<T> {
  readonly number: number;
  readonly wireType: number;
  readonly absent: T;
  /** Reads one occurrence; `before` is what came of earlier ones. */
  read(reader: ProtobufReader, before: T): T;
  /** Writes all occurrences; none where the value is the absent one. */
  write(writer: ProtobufWriter, value: Draft<T>): void;
}

/** The table of a message: a field for each of its names. */
export type FieldTable<M> = { readonly [K in keyof M]: Field<M[K]> };

/** A kind of message: decodes bytes to `M`, and encodes what may leave out any field. */
export interface MessageType<M> {
  readonly name: string;
  /** Throws {@link MalformedMessage}. */
  decode(bytes: Uint8Array): M;
  encode(draft: Draft<M>): Buffer;
}

export type MessageOf<T> = T extends MessageType<infer M> ? M : never;

/** A message as it is written: what is left out, at any depth, is absent on the wire. */
export type Draft<T> = T extends Uint8Array | string | number | boolean | undefined
  ? T
  : T extends readonly (infer E)[]
    ? readonly Draft<E>[]
    : T extends ReadonlyMap<string, infer E>
      ? ReadonlyMap<string, Draft<E>>
      : { readonly [K in keyof T]?: Draft<T[K]> | undefined };

/** Makes a kind of message of its table. */
export function message<M extends object>(name: string, fields: FieldTable<M>): MessageType<M> {
  const names = Object.keys(fields) as (keyof M & string)[];
  const byNumber = new Map(names.map((key) => [fields[key].number, key]));
  const blank = Object.fromEntries(names.map((key) => [key, fields[key].absent])) as M;
  return {
    name,
    decode(bytes) {
      const reader = new ProtobufReader(bytes);
      const decoded = { ...blank };
      while (!reader.isAtEnd) {
        const { number, wireType } = reader.tag();
        const key = byNumber.get(number);
        // A field of a later version of the protocol: readers pass over what they do not know.
        if (key === undefined || number === 0) reader.skip(wireType);
        else if (wireType !== fields[key].wireType)
          throw new MalformedMessage(`the field ${key} of ${name} has the wire type ${wireType}`);
        else decoded[key] = fields[key].read(reader, decoded[key]);
      }
      return decoded;
    },
    encode(draft) {
      const writer = new ProtobufWriter();
      for (const key of names) {
        const value = (draft as { readonly [K in keyof M]?: Draft<M[K]> })[key];
        if (value !== undefined) fields[key].write(writer, value);
      }
      return writer.finish();
    },
  };
}

export function text(number: number): Field<string> {
  return scalar(
    number,
    wireTypes.delimited,
    "",
    (r) => r.text(),
    (w, v) => w.text(v),
    (v) => v === "",
  );
}

const noBytes = new Uint8Array();

export function bytes(number: number): Field<Uint8Array> {
  return scalar(
    number,
    wireTypes.delimited,
    noBytes,
    (r) => r.delimited(),
    (w, v) => w.delimited(v),
    (v) => v.length === 0,
  );
}

export function bool(number: number): Field<boolean> {
  return scalar(
    number,
    wireTypes.varint,
    false,
    (r) => r.int64() !== 0,
    (w, v) => w.int64(v ? 1 : 0),
    (v) => !v,
  );
}

export function int64(number: number): Field<number> {
  return scalar(
    number,
    wireTypes.varint,
    0,
    (r) => r.int64(),
    (w, v) => w.int64(v),
    (v) => v === 0,
  );
}

/** One of the words, in the order of their numbers. A number there is no word for is the first one. */
export function oneOf<const W extends readonly [string, ...string[]]>(number: number, words: W): Field<W[number]> {
  const read = (r: ProtobufReader) => words[r.int64()] ?? words[0];
  const write = (w: ProtobufWriter, word: W[number]) => w.int64(words.indexOf(word));
  return scalar<W[number]>(number, wireTypes.varint, words[0], read, write, (word) => word === words[0]);
}

/** A scalar that tells being absent from being empty. */
export function maybe<T extends string | number | Uint8Array>(field: Field<T>): Field<T | undefined> {
  return {
    number: field.number,
    wireType: field.wireType,
    absent: undefined,
    read: (reader) => field.read(reader, field.absent),
    write(writer, value) {
      if (value === undefined) return;
      writer.tag(field.number, field.wireType);
      if (typeof value === "number") writer.int64(value);
      else if (typeof value === "string") writer.text(value);
      else writer.delimited(value as Uint8Array);
    },
  };
}

/** A message inside; `type` is asked for when it is needed, so that messages may hold their own kind. */
export function nested<M>(number: number, type: () => MessageType<M>): Field<M | undefined> {
  return {
    number,
    wireType: wireTypes.delimited,
    absent: undefined,
    read: (reader) => type().decode(reader.delimited()),
    write(writer, value) {
      if (value === undefined) return;
      writer.tag(number, wireTypes.delimited);
      writer.delimited(type().encode(value as Draft<M>));
    },
  };
}

export function repeated<M>(number: number, type: () => MessageType<M>): Field<readonly M[]> {
  return {
    number,
    wireType: wireTypes.delimited,
    absent: [],
    read(reader, before) {
      const all = before.length === 0 ? [] : (before as M[]);
      all.push(type().decode(reader.delimited()));
      return all;
    },
    write(writer, values) {
      for (const value of values as readonly Draft<M>[]) {
        writer.tag(number, wireTypes.delimited);
        writer.delimited(type().encode(value));
      }
    },
  };
}

/** Entries by name. With {@link asBytes} for the type their messages stay undecoded. */
export function entries<M>(number: number, type: () => MessageType<M>): Field<ReadonlyMap<string, M>> {
  return {
    number,
    wireType: wireTypes.delimited,
    absent: new Map(),
    read(reader, before) {
      const { key, value } = entry.decode(reader.delimited());
      return (before.size === 0 ? new Map<string, M>() : (before as Map<string, M>)).set(key, type().decode(value));
    },
    write(writer, values) {
      for (const [key, value] of values as ReadonlyMap<string, Draft<M>>) {
        writer.tag(number, wireTypes.delimited);
        writer.delimited(entry.encode({ key, value: type().encode(value) }));
      }
    },
  };
}

const entry = message("Entry", { key: text(1), value: bytes(2) });

/** In place of a kind of message: its bytes as they are, to be decoded when they are asked for. */
export const asBytes: MessageType<Uint8Array> = {
  name: "bytes",
  decode: (whole) => whole,
  encode: (whole) => Buffer.from(whole),
};

/** Text for the type of an entry's value. */
export const asText: MessageType<string> = {
  name: "text",
  decode: (whole) => Buffer.from(whole).toString(),
  encode: (whole) => Buffer.from(whole),
};

/** A field that this version of the protocol does not have: it is never read nor written. */
export function notThere<T>(absent: T): Field<T> {
  return { number: 0, wireType: wireTypes.varint, absent, read: (_, before) => before, write: () => undefined };
}

function scalar<T>(
  number: number,
  wireType: number,
  absent: T,
  read: (reader: ProtobufReader) => T,
  write: (writer: ProtobufWriter, value: T) => void,
  isAbsent: (value: T) => boolean,
): Field<T> {
  return {
    number,
    wireType,
    absent,
    read,
    write(writer, draft) {
      const value = draft as T;
      if (isAbsent(value)) return;
      writer.tag(number, wireType);
      write(writer, value);
    },
  };
}

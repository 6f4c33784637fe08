import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { quote } from "@millwright/text/quote";
import type { Type } from "@millwright/value/types";
import { dynamicType, listType, objectType, stringType } from "@millwright/value/types";
import { asString, isKnown, listValue, objectValue, stringValue } from "@millwright/value/value";
import { notNull, refuse, text } from "./define.ts";

const csvdecode: FunctionSpec = {
  name: "csvdecode",
  description:
    "A table in CSV (RFC 4180) as a list of objects, one a row, with the first row's cells as attribute names.",
  parameters: [text("str")],
  returnType: ([str]) => {
    if (!isKnown(str!)) return dynamicType;
    const header = new CsvReader(asString(str!)).record();
    if (!header) refuse("missing header line");
    const repeated = header.cells.find((name, i) => header.cells.indexOf(name) < i);
    if (repeated !== undefined) refuse(`duplicate column name ${quote(repeated)}`);
    return listType(objectType(header.cells.map((name) => [name, stringType] as const)));
  },
  refineResult: notNull,
  call: ([str], returnType) => {
    const reader = new CsvReader(asString(str!));
    const names = reader.record()!.cells;
    const rows = [];
    for (let row = reader.record(); row; row = reader.record()) {
      const { cells, line } = row;
      if (cells.length !== names.length) refuseLine(line, "wrong number of fields");
      rows.push(objectValue(names.map((name, i) => [name, stringValue(cells[i]!)] as const)));
    }
    return listValue(rows, (returnType as Extract<Type, { kind: "list" }>).element);
  },
};

interface CsvRecord {
  readonly cells: readonly string[];
  /** The line it begins on, from 1. */
  readonly line: number;
}

/** Reads records as Go's `encoding/csv` does: blank lines are skipped, `\r\n` is a line break, also inside of quotes. */
class CsvReader {
  readonly #lines: readonly string[];
  #next = 0;

  constructor(text: string) {
    // Each line with its break; the last may have none.
    this.#lines = text.match(/[^\n]*\n|[^\n]+$/g)?.map((line) => line.replace(/\r\n$/, "\n").replace(/\r$/, "")) ?? [];
  }

  /** The next record, or undefined behind the last one. */
  record(): CsvRecord | undefined {
    while (this.#lines[this.#next] === "\n") this.#next++;
    const begin = this.#next;
    if (begin >= this.#lines.length) return undefined;
    let rest = this.#lines[this.#next++]!;
    const cells: string[] = [];
    for (;;) {
      const cell = rest.startsWith('"') ? this.#quoted(rest.slice(1)) : this.#bare(rest);
      cells.push(cell.text);
      if (cell.rest === undefined) return { cells, line: begin + 1 };
      rest = cell.rest;
    }
  }

  #bare(rest: string): Cell {
    const comma = rest.indexOf(",");
    const text = comma < 0 ? rest.replace(/\n$/, "") : rest.slice(0, comma);
    if (text.includes('"')) refuseLine(this.#next, 'bare " in non-quoted-field');
    return { text, rest: comma < 0 ? undefined : rest.slice(comma + 1) };
  }

  /** `rest` begins behind the opening quote. */
  #quoted(rest: string): Cell {
    let text = "";
    let remaining = rest;
    for (;;) {
      const end = remaining.indexOf('"');
      if (end >= 0) {
        text += remaining.slice(0, end);
        const behind = remaining.slice(end + 1);
        if (behind.startsWith('"')) {
          text += '"';
          remaining = behind.slice(1);
        } else if (behind.startsWith(",")) return { text, rest: behind.slice(1) };
        else if (behind === "" || behind === "\n") return { text, rest: undefined };
        else refuseLine(this.#next, 'extraneous or missing " in quoted-field');
      } else {
        text += remaining;
        const line = this.#lines[this.#next];
        if (line === undefined) refuseLine(this.#next, 'extraneous or missing " in quoted-field');
        this.#next++;
        remaining = line;
      }
    }
  }
}

interface Cell {
  readonly text: string;
  /** What follows the comma behind it; undefined at the end of the record. */
  readonly rest: string | undefined;
}

function refuseLine(line: number, why: string): never {
  refuse(`CSV parse error on line ${line}: ${why}`);
}

export const csvFunctions: readonly FunctionSpec[] = [csvdecode];

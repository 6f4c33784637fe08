import { quote } from "@millwright/text/quote";
import type { Difference, FieldDiff, ObjectDiff } from "./diff-objects.ts";
import type { JobDiff, TaskDiff, TaskGroupDiff } from "./diff.ts";

/** What a piece of a line is about; the caller gives it a colour, or none. */
export type Tone = "plain" | "heading" | "create" | "destroy" | "change" | "replace" | "inPlace" | "migrate";

export interface Piece {
  readonly text: string;
  readonly tone: Tone;
}

/** A line without its end. */
export type DiffLine = readonly Piece[];

export interface RenderOptions {
  /** Shows what is inside of added and deleted jobs, groups and tasks, too. */
  readonly verbose: boolean;
}

/**
 * A diff as `nomad plan` shows it: a marker (`+`, `-`, `+/-`), a name, and in brackets what it means. What did not change
 * keeps the width of the markers around it.
 */
export function renderDiff(diff: JobDiff, options: RenderOptions): readonly DiffLine[] {
  const groups = diff.TaskGroups ?? [];
  const widths = widthsOf(diff, groups);
  const shown = options.verbose || diff.Type === "Edited";
  return [
    [...marker(diff.Type), heading(`Job: ${quote(diff.ID)}`)],
    ...(shown ? insideLines(diff, 0, widths) : []),
    ...groups.flatMap((group) => [...groupLines(group, widths.marker - markerWidth(group.Type), options), []]),
  ];
}

/** Lines without their tones. */
export function plainText(lines: readonly DiffLine[]): string {
  return lines.map((line) => `${line.map(({ text }) => text).join("")}\n`).join("");
}

function groupLines(group: TaskGroupDiff, pad: number, options: RenderOptions): readonly DiffLine[] {
  const tasks = group.Tasks ?? [];
  const widths = widthsOf(group, tasks);
  const start = pad + 2;
  const shown = options.verbose || group.Type === "Edited";
  const title = heading(`Task Group: ${quote(group.Name)}`);
  return [
    [...marker(group.Type), plain(" ".repeat(pad)), title, ...updatePieces(group.Updates ?? {})],
    ...(shown ? insideLines(group, start, widths) : []),
    ...tasks.flatMap((task) => taskLines(task, start, widths.marker - markerWidth(task.Type), options)),
  ];
}

function taskLines(task: TaskDiff, start: number, pad: number, options: RenderOptions): readonly DiffLine[] {
  const title = heading(`Task: ${quote(task.Name)}`);
  const first = [
    plain(" ".repeat(start)),
    ...marker(task.Type),
    plain(" ".repeat(pad)),
    title,
    ...annotationPieces(task.Annotations),
  ];
  if (task.Type === "None" || (task.Type !== "Edited" && !options.verbose)) return [first];
  return [first, ...insideLines(task, start + 2, widthsOf(task, []))];
}

/** The widest marker and the longest name of a field among what stands together. */
interface Widths {
  readonly marker: number;
  readonly field: number;
}

interface Inside {
  readonly Fields: readonly FieldDiff[] | null;
  readonly Objects: readonly ObjectDiff[] | null;
}

function widthsOf({ Fields, Objects }: Inside, further: readonly { readonly Type: Difference }[]): Widths {
  const fields = Fields ?? [];
  const all = [...fields, ...(Objects ?? []), ...further];
  return {
    marker: Math.max(0, ...all.map(({ Type }) => markerWidth(Type))),
    field: Math.max(0, ...fields.map(({ Name }) => Name.length)),
  };
}

function insideLines({ Fields, Objects }: Inside, start: number, widths: Widths): readonly DiffLine[] {
  return [
    ...(Fields ?? []).map((field) => fieldLine(field, start, widths)),
    ...(Objects ?? []).flatMap((object) => objectLines(object, start, widths.marker - markerWidth(object.Type))),
  ];
}

function fieldLine(field: FieldDiff, start: number, widths: Widths): DiffLine {
  const pad = " ".repeat(widths.marker - markerWidth(field.Type));
  const name = `${pad}${field.Name}: ${" ".repeat(widths.field - field.Name.length)}`;
  return [
    plain(" ".repeat(start)),
    ...marker(field.Type),
    plain(name + valueText(field)),
    ...annotationPieces(field.Annotations),
  ];
}

function valueText({ Type, Old, New }: FieldDiff): string {
  switch (Type) {
    case "Edited":
      return `${quote(Old)} => ${quote(New)}`;
    case "Deleted":
      return quote(Old);
    case "Added":
    case "None":
      return quote(New);
  }
}

function objectLines(object: ObjectDiff, start: number, pad: number): readonly DiffLine[] {
  const inner = start + pad + 2;
  return [
    [plain(" ".repeat(start)), ...marker(object.Type), plain(`${" ".repeat(pad)}${object.Name} {`)],
    ...insideLines(object, inner, widthsOf(object, [])),
    [plain(`${" ".repeat(start + markerWidth(object.Type) + pad)}}`)],
  ];
}

const markers: Readonly<Record<Difference, Piece | undefined>> = {
  Added: { text: "+", tone: "create" },
  Deleted: { text: "-", tone: "destroy" },
  Edited: { text: "+/-", tone: "change" },
  None: undefined,
};

function marker(type: Difference): DiffLine {
  const sign = markers[type];
  return sign ? [sign, plain(" ")] : [];
}

function markerWidth(type: Difference): number {
  return (markers[type]?.text.length ?? -1) + 1;
}

const updateTones: Readonly<Record<string, Tone>> = {
  create: "create",
  destroy: "destroy",
  migrate: "migrate",
  canary: "change",
  "in-place update": "inPlace",
  "create/destroy update": "replace",
};

function updatePieces(updates: Readonly<Record<string, number>>): DiffLine {
  const names = Object.keys(updates).sort();
  return bracketed(names.map((name) => ({ text: `${updates[name]} ${name}`, tone: updateTones[name] ?? "plain" })));
}

function annotationPieces(annotations: readonly string[] | null): DiffLine {
  return bracketed(
    (annotations ?? []).map((text) => ({ text, tone: updateTones[text.replace(/^forces /, "")] ?? "plain" })),
  );
}

function bracketed(pieces: DiffLine): DiffLine {
  if (pieces.length === 0) return [];
  return [plain(" ("), ...pieces.flatMap((piece, i) => (i > 0 ? [plain(", "), piece] : [piece])), plain(")")];
}

function plain(text: string): Piece {
  return { text, tone: "plain" };
}

function heading(text: string): Piece {
  return { text, tone: "heading" };
}

/**
 * A line that a provider adds to a planned change, for people to read below what the plan shows of the object: what the
 * attributes do not say. No part of what the plan promises, and never compared.
 */
export type PlanNote = readonly NotePiece[];

/** A piece of a line, and what it is about; the caller gives it a colour, or none. */
export interface NotePiece {
  readonly text: string;
  readonly tone: NoteTone;
}
export type NoteTone = "plain" | "heading" | "create" | "destroy" | "change" | "accent" | "warning";

/** A line of one piece. */
export function note(text: string, tone: NoteTone = "plain"): PlanNote {
  return [{ text, tone }];
}

/** A note without its tones. */
export function noteText(pieces: PlanNote): string {
  return pieces.map(({ text }) => text).join("");
}

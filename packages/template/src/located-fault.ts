import type { TemplateSource } from "./template.ts";

/** An execution's end, with the place in the template; never leaves `execute`. */
export class LocatedFault extends Error {
  override readonly name = "LocatedFault";
  /** The message without the place. */
  readonly reason: string;
  /** UTF-16 offsets. */
  readonly place: { readonly source: TemplateSource; readonly start: number; readonly end: number } | undefined;

  constructor(message: string, reason: string, place: LocatedFault["place"]) {
    super(message);
    this.reason = reason;
    this.place = place;
  }
}

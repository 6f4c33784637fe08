import { isAbsolute, join, relative } from "node:path";

/** The place of a state as it is remembered: files relative to the list's folder, so that this can be moved as a whole. */
export function placeTo(listFolder: string, place: string): string {
  return isAbsolute(place) ? `./${relative(listFolder, place)}` : place;
}

/** The reverse of {@link placeTo}. */
export function placeFrom(listFolder: string, remembered: string): string {
  return remembered.startsWith("./") ? join(listFolder, remembered) : remembered;
}

import { displayWidth, padToWidth } from "./width.ts";

/** Names padded with spaces to the width of the widest, so that what follows them lines up. */
export function align(names: readonly string[]): string[] {
  const width = Math.max(0, ...names.map(displayWidth));
  return names.map((name) => padToWidth(name, width));
}

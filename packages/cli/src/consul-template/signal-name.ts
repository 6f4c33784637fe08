import { constants } from "node:os";

/** A signal by its name, with or without `SIG` in front; undefined for what is none. */
export function parseSignal(text: string): NodeJS.Signals | undefined {
  const name = text.toUpperCase().startsWith("SIG") ? text.toUpperCase() : `SIG${text.toUpperCase()}`;
  return isSignal(name) ? name : undefined;
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name);
}

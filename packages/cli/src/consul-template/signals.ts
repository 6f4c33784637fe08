import { constants } from "node:os";

/** Tells of each signal that this program gets, until the returned function is called. */
export type SignalSource = (handler: (signal: NodeJS.Signals) => void) => () => void;

/** What may be passed on to a program. Signals of faults, of the terminal's job control and of children are the system's own. */
const passedOn: readonly NodeJS.Signals[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR2",
  "SIGWINCH",
  "SIGALRM",
  "SIGIO",
];

/** The signals of the process. SIGUSR1 among them only on request: Node opens its debugger at it unless it is taken. */
export const processSignals: SignalSource = (handler) => {
  const signals: readonly NodeJS.Signals[] = [...passedOn, "SIGUSR1"];
  const known = signals.filter((signal) => Object.hasOwn(constants.signals, signal));
  for (const signal of known) process.on(signal, handler);
  return () => {
    for (const signal of known) process.off(signal, handler);
  };
};

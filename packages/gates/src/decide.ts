import { messageOf } from "@millwright/core/errors";
import type { Clock } from "@millwright/core/ports";
import type { Decided, Decision, Gate, GateView } from "./gate.ts";

export interface DecideOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long gates may have others wait before that counts as `stop`; milliseconds. */
  readonly patience: number;
  /** Told before each wait. */
  readonly onWait?: (decided: Decided) => void;
}

/**
 * Asks all gates, and again as long as one says `wait` and patience lasts. The gravest decision counts: back, stop, wait, go.
 * Rejects only with the signal's reason.
 */
export async function decide(
  gates: readonly Gate[],
  view: Omit<GateView, "now">,
  { clock, signal, patience, onWait }: DecideOptions,
): Promise<Decided> {
  const [asked, began] = [clock.now(), clock.monotonic()];
  const until = began + patience;
  for (;;) {
    // The machine's clock may be set meanwhile: nothing has held longer by that, and no grace is over.
    const now = asked + (clock.monotonic() - began);
    const all = await Promise.all(gates.map((gate) => ask(gate, { ...view, now }, signal)));
    signal.throwIfAborted();
    const decided = gravest(all);
    const { decision } = decided;
    if (decision.kind !== "wait") return decided;
    const left = until - clock.monotonic();
    if (left <= 0) {
      const because = `${decision.because}; that was so for as long as could be waited`;
      return { gate: decided.gate, decision: { kind: "stop", because } };
    }
    onWait?.(decided);
    await clock.sleep(Math.min(left, Math.max(decision.milliseconds, shortestWait)), signal);
  }
}

/** A gate that would be asked again at once is asked after this, in milliseconds. */
const shortestWait = 50;

async function ask(gate: Gate, view: GateView, signal: AbortSignal): Promise<Decided> {
  try {
    const decision = await gate.decide(view, signal);
    return { gate: gate.name, decision: { ...decision, because: onOneLine(decision.because) } };
  } catch (error) {
    signal.throwIfAborted();
    return { gate: gate.name, decision: { kind: "stop", because: onOneLine(messageOf(error)) } };
  }
}

// Words of commands and servers may be among it, which command no terminal.
function onOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ");
}

/** What all gates together said, for people: with a `go`, all were asked, and all are for it. */
export function asOne(decided: Decided, gates: readonly Pick<Gate, "name">[]): Decided {
  if (decided.decision.kind !== "go" || gates.length < 2) return decided;
  return {
    gate: gates.map(({ name }) => name).join(", "),
    decision: { kind: "go", because: "all are for it" },
  };
}

const gravity: Readonly<Record<Decision["kind"], number>> = { go: 0, wait: 1, stop: 2, back: 3 };

/** The gravest of several decisions; of several waits the longest. Without any it is `go`. */
export function gravest(all: readonly Decided[]): Decided {
  let worst: Decided = { gate: "", decision: { kind: "go", because: "no gate is against it" } };
  for (const one of all) if (worst.gate === "" || isGraver(one.decision, worst.decision)) worst = one;
  return worst;
}

function isGraver(one: Decision, other: Decision): boolean {
  if (one.kind === "wait" && other.kind === "wait") return one.milliseconds > other.milliseconds;
  return gravity[one.kind] > gravity[other.kind];
}

import type { Session } from "./session.ts";

/** Says what an interrupt does, when it comes; until the function given back is called. */
export function sayInterrupts(session: Session, phase: keyof typeof interruptWords = "apply"): () => void {
  const { signal } = session.io;
  const say = () => {
    session.tellJson((view) => view.log(interruptWords[phase]));
    if (!session.json) void session.io.stderr(interruptWords[phase]);
  };
  signal.addEventListener("abort", say, { once: true });
  return () => signal.removeEventListener("abort", say);
}

const interruptWords = {
  plan: "\nInterrupted: nothing is changed, and what is being read is not waited for longer\nthan its provider needs to stop. Interrupt again to stop at once.\n",
  apply:
    "\nInterrupted: what is under way is finished, and nothing more is begun.\nInterrupt again to stop at once; the journal beside the state then keeps what\nwas done, and the next run takes it in.\n",
} as const;

import { assertNever } from "@millwright/core/errors";

/** How a process ended: with an exit code, or by a signal. */
export type ProcessExit =
  | { readonly kind: "code"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: NodeJS.Signals };

export interface EndOptions {
  /** The first, polite signal. */
  readonly signal: NodeJS.Signals;
  /** How long the tree has to end by itself before it is killed. */
  readonly graceMilliseconds: number;
}

/**
 * The life of a started process. `stopping`: it was asked to end, and has until its grace is over; `killing`: its tree is
 * being killed. In both `exit` is there once the process itself has ended and only others of its tree are left.
 */
export type ProcessState =
  | { readonly kind: "running" }
  | { readonly kind: "stopping"; readonly exit?: ProcessExit }
  | { readonly kind: "killing"; readonly exit?: ProcessExit }
  | { readonly kind: "ended"; readonly exit: ProcessExit };

export type ProcessEvent =
  /** Somebody wants it ended: by this signal first. */
  | ({ readonly kind: "endAsked" } & EndOptions)
  | { readonly kind: "graceOver" }
  /** The process itself has ended. `others` says how to end what it has left running; without it, that is left alone. */
  | { readonly kind: "exited"; readonly exit: ProcessExit; readonly others?: EndOptions }
  /** Nothing of its tree runs any more. */
  | { readonly kind: "treeGone" };

export type ProcessAction =
  | { readonly kind: "signalTree"; readonly signal: NodeJS.Signals }
  | { readonly kind: "startGrace"; readonly milliseconds: number }
  /** Kill what is there of the tree, and look again until nothing is. */
  | { readonly kind: "killTree" }
  /** Look again and again whether something of the tree is left. */
  | { readonly kind: "watchTree" };

export interface ProcessStep {
  readonly state: ProcessState;
  readonly actions: readonly ProcessAction[];
}

/** What follows from an event. Pure. */
export function stepProcess(state: ProcessState, event: ProcessEvent): ProcessStep {
  switch (event.kind) {
    case "endAsked":
      return endAsked(state, event.signal, event.graceMilliseconds);
    case "graceOver":
      if (state.kind !== "stopping") return stay(state);
      return { state: { ...state, kind: "killing" }, actions: [{ kind: "killTree" }] };
    case "exited":
      return exited(state, event.exit, event.others);
    case "treeGone":
      if (state.kind !== "stopping" && state.kind !== "killing") return stay(state);
      return state.exit ? { state: { kind: "ended", exit: state.exit }, actions: [] } : stay(state);
    default:
      return assertNever(event);
  }
}

function endAsked(state: ProcessState, signal: NodeJS.Signals, milliseconds: number): ProcessStep {
  if (state.kind === "killing" || state.kind === "ended") return stay(state);
  // Asked a second time with another signal or less patience: both count from now.
  const stopping: ProcessState = state.kind === "stopping" ? state : { kind: "stopping" };
  if (signal === "SIGKILL" || milliseconds <= 0) {
    const first: ProcessAction[] = signal === "SIGKILL" ? [] : [{ kind: "signalTree", signal }];
    return { state: { ...stopping, kind: "killing" }, actions: [...first, { kind: "killTree" }] };
  }
  return {
    state: stopping,
    actions: [
      { kind: "signalTree", signal },
      { kind: "startGrace", milliseconds },
    ],
  };
}

function exited(state: ProcessState, exit: ProcessExit, others: EndOptions | undefined): ProcessStep {
  switch (state.kind) {
    case "running": {
      // What it left running it may have left on purpose: a command starts a daemon.
      if (!others) return { state: { kind: "ended", exit }, actions: [] };
      const { state: asked, actions } = endAsked(state, others.signal, others.graceMilliseconds);
      const then = exited(asked, exit, undefined);
      return { state: then.state, actions: [...actions, ...then.actions] };
    }
    case "stopping":
    case "killing":
      return { state: { ...state, exit }, actions: [{ kind: "watchTree" }] };
    case "ended":
      return stay(state);
    default:
      return assertNever(state);
  }
}

function stay(state: ProcessState): ProcessStep {
  return { state, actions: [] };
}

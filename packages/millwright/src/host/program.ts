import { constants, createContext, Script } from "node:vm";
import type { Derived } from "../runtime/compute.ts";

/** How a run of a stack's program ended: with its graph (JSON), or by a throw at its frames. */
export type Outcome =
  | { readonly kind: "built"; readonly graph: string }
  | { readonly kind: "threw"; readonly name: string; readonly message: string; readonly trace: string };

/**
 * A stack's program in a world of its own, which has the language and the stack's API and nothing of this machine. What
 * crosses the border is text alone. This keeps honest programs repeatable; it does not hold a hostile one.
 */
export class StackProgram {
  readonly #world: object;
  readonly #derived = new Map<string, Derived>();

  private constructor(world: object) {
    this.#world = world;
  }

  /** Runs the program once, to its end. */
  static run(runtime: string, code: string): { readonly program: StackProgram; readonly outcome: Outcome } {
    const world = createContext(constants.DONT_CONTEXTIFY, {
      codeGeneration: { strings: false, wasm: false },
      microtaskMode: "afterEvaluate",
    });
    new Script("Error.stackTraceLimit = 100", { filename: "millwright:runtime" }).runInContext(world);
    new Script(runtime, { filename: "millwright:runtime" }).runInContext(world);
    const program = new StackProgram(world);
    try {
      new Script(code, { filename: "stack.js" }).runInContext(world, { timeout, breakOnSigint: true });
      return { program, outcome: { kind: "built", graph: program.#ask("$mw$.finish()") } };
    } catch (error) {
      // The graph may know of mistakes that led to this one.
      return { program, outcome: { kind: "threw", ...describeThrown(error) } };
    }
  }

  /** What the program itself refused so far, as its graph says it. */
  graphSoFar(): string {
    return this.#ask("$mw$.finish()");
  }

  /**
   * Runs function number `id` of the program's `derive` calls with a value, given as JSON. It is run twice for each value:
   * one that gives something else the second time would give something else at apply than what the plan shows.
   */
  derive(id: number, known: string): Derived {
    const question = `$mw$.derive(${id}, ${JSON.stringify(known)})`;
    let result = this.#derived.get(question);
    if (!result) {
      result = this.#deriveTwice(question);
      this.#derived.set(question, result);
    }
    return result;
  }

  #deriveTwice(question: string): Derived {
    try {
      const first = this.#ask(question);
      return first === this.#ask(question) ? (JSON.parse(first) as Derived) : fickle;
    } catch (error) {
      // Whatever the function threw came as its result; what is thrown here ended it from outside.
      return { ok: false, message: describeThrown(error).message, at: [] };
    }
  }

  #ask(question: string): string {
    return new Script(question, { filename: "millwright:question" }).runInContext(this.#world, { timeout }) as string;
  }
}

const fickle: Derived = {
  ok: false,
  message:
    "its function gives something else each time it is called, so the plan would not hold; compute from nothing but what it is given",
  at: [],
};

/** How long a program may run without an end, in milliseconds. */
const timeout = 30_000;

function describeThrown(error: unknown): { readonly name: string; readonly message: string; readonly trace: string } {
  if (typeof error !== "object" || error === null) return { name: "Error", message: String(error), trace: "" };
  const { name, message, stack, code } = error as {
    readonly name?: unknown;
    readonly message?: unknown;
    readonly stack?: unknown;
    readonly code?: unknown;
  };
  if (code === "ERR_SCRIPT_EXECUTION_TIMEOUT") {
    return { name: "Error", message: `the program did not come to an end within ${timeout / 1000} seconds`, trace: "" };
  }
  if (code === "ERR_SCRIPT_EXECUTION_INTERRUPTED") return { name: "Error", message: "interrupted", trace: "" };
  return { name: String(name ?? "Error"), message: String(message ?? ""), trace: String(stack ?? "") };
}

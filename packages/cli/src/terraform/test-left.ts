import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { writeStateFile } from "@millwright/engine/state-file";
import type { TestState } from "@millwright/engine/tests/bench";
import type { TestFile } from "@millwright/engine/tests/test-file";

/**
 * The states that tests have left behind, each kept in a file for whoever takes them down by hand: `errored_test.tfstate`,
 * `errored_test_2.tfstate` and so on. After an interrupt they are written before anything is taken down, since a second one
 * ends the program; those that could be taken down after all are removed.
 */
export class ErroredStates {
  readonly #pathOf: (name: string) => string;
  readonly #pending = new Map<string, TestState>();
  readonly #left = new Map<string, TestState>();
  #written: readonly string[] = [];

  constructor(pathOf: (name: string) => string) {
    this.#pathOf = pathOf;
  }

  /** What there is at an interrupt. */
  pending(file: TestFile, states: readonly TestState[]): void {
    for (const state of states) this.#pending.set(`${file.path}|${state.key}`, state);
    this.#write();
  }

  leftBehind(file: TestFile, state: TestState): void {
    this.#left.set(`${file.path}|${state.key}`, state);
    this.#write();
  }

  /** All that was to be taken down was tried: what is still pending is gone. */
  finish(): void {
    this.#pending.clear();
    this.#write();
  }

  #write(): void {
    const states = [...new Map([...this.#pending, ...this.#left]).values()];
    const paths = states.map((_, i) =>
      this.#pathOf(i === 0 ? "errored_test.tfstate" : `errored_test_${i + 1}.tfstate`),
    );
    for (const [i, { state }] of states.entries()) {
      writeFileSync(paths[i]!, writeStateFile({ lineage: randomUUID(), serial: 1, state }), { mode: 0o600 });
    }
    for (const path of this.#written) if (!paths.includes(path)) rmSync(path, { force: true });
    this.#written = paths;
  }
}

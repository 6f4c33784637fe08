import { hasErrors } from "@millwright/core/diagnostics";
import { instancesOf, type State } from "../state.ts";
import { providerStandIns } from "./stand-ins.ts";
import type { LeftBehind, TestBench } from "./bench.ts";
import { applyRun, type PreparedRun, planRun } from "./run-test.ts";

/** Destroys all that a state has, with the configuration of the run that made it what it is; undefined where nothing is left. */
export async function cleanUp(
  bench: TestBench,
  prepared: PreparedRun,
  key: string,
  state: State,
): Promise<LeftBehind | undefined> {
  // An interrupt ends the tests, not the clearing away of what they made.
  const ports = { ...bench.ports, stop: new AbortController().signal };
  const pool = bench.pool(providerStandIns(prepared.standIns));
  const { run } = prepared;
  try {
    const { plan, diagnostics } = await planRun(bench, prepared, state, pool, ports, "destroy");
    if (hasErrors(diagnostics)) return { key, run, state, diagnostics };
    const applied = await applyRun(bench, prepared, plan, ports);
    const errors = [...diagnostics, ...applied.diagnostics].filter(({ severity }) => severity === "error");
    return hasManaged(applied.state) || errors.length > 0
      ? { key, run, state: applied.state, diagnostics: errors }
      : undefined;
  } finally {
    await pool.close();
  }
}

/** Whether there is anything in a state that would have to be destroyed. */
export function hasManaged(state: State): boolean {
  return leftObjects(state).length > 0;
}

/** Addresses of the objects that a state has, deposed ones with their key. */
export function leftObjects(state: State): readonly string[] {
  return instancesOf(state).flatMap(({ address, instance }) => {
    if (address.resource.mode === "data") return [];
    const deposed = [...instance.deposed.keys()].map((key) => `${address.text} (deposed ${key})`);
    return instance.current ? [address.text, ...deposed] : deposed;
  });
}

import { messageOf, OperationalError } from "@millwright/core/errors";
import { runProcess } from "@millwright/process/run";
import type { CheckStatus, ScriptProbe } from "../check-definition.ts";
import type { ProbeContext, ProbeResult } from "./result.ts";

/** Runs a program: exit code 0 is passing, 1 a warning, any other end critical. At its timeout it is ended with all it started. */
export async function probeScript(probe: ScriptProbe, context: ProbeContext): Promise<ProbeResult> {
  const [program, ...rest] = probe.args;
  if (program === undefined) return { status: "critical", output: "There is no program to run." };
  try {
    const { exit, output, dropped, timedOut } = await runProcess(
      { command: { kind: "program", argv: [program, ...rest] }, env: process.env, cwd: process.cwd() },
      {
        timeoutMilliseconds: probe.timeout,
        signal: context.signal,
        end: { signal: "SIGKILL", graceMilliseconds: 0 },
        keepBytes: context.outputMaxSize,
      },
    );
    if (timedOut) return { status: "critical", output: `Timed out (${probe.timeout / 1000}s) running check` };
    const kept = Buffer.from(output).toString("utf8");
    const note = dropped > 0 ? `\n(${dropped} bytes more were not kept)` : "";
    return { status: exit.kind === "code" ? statusOf(exit.code) : "critical", output: kept + note };
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return { status: "critical", output: messageOf(error) };
  }
}

function statusOf(code: number): CheckStatus {
  if (code === 0) return "passing";
  return code === 1 ? "warning" : "critical";
}

import { resolve } from "node:path";
import { messageOf, OperationalError } from "@millwright/core/errors";
import { asSentence } from "@millwright/core/sentence";
import { startProcess } from "@millwright/process/process";
import { provisionerErrors } from "./errors.ts";
import { Lines } from "./lines.ts";
import { flag, isGiven, text, textMap, texts } from "./plain.ts";
import type { Provisioner, ProvisionerCall } from "./provisioner.ts";
import { blockOf } from "./schema.ts";

/** How much of the output an error repeats, in bytes: the end of it. */
const outputInErrors = 8 * 1024;

/** Runs a command on this machine. */
export const localExec: Provisioner = {
  schema: blockOf(
    { command: "text", interpreter: "texts", working_dir: "text", environment: "map", quiet: "flag" },
    "command",
  ),
  connects: false,
  validate: (config) => {
    const command = text(config, "command");
    const isMissing = !isGiven(config, "command") || command?.trim() === "";
    return isMissing ? ["local-exec provisioner command must be a non-empty string"] : [];
  },
  run: runLocally,
};

async function runLocally({ config, folder, env, output, signal }: ProvisionerCall): Promise<void> {
  const command = text(config, "command") ?? "";
  const interpreter = texts(config, "interpreter") ?? ["/bin/sh", "-c"];
  const [program = "/bin/sh", ...before] = interpreter;
  const argv = [program, ...before, command] as const;
  if (flag(config, "quiet")) output("local-exec: Executing: Suppressed by quiet=true");
  else output(`Executing: [${argv.map((word) => JSON.stringify(word)).join(" ")}]`);
  let end = Buffer.alloc(0);
  const lines = new Lines(output);
  const running = await startProcess({
    command: { kind: "program", argv: [program, ...argv.slice(1)] },
    env: { ...env, ...textMap(config, "environment") },
    cwd: resolve(folder, text(config, "working_dir") ?? "."),
    stdin: "ignore",
    output: {
      kind: "pump",
      write: (piece) => {
        lines.write(piece);
        end = Buffer.concat([end, piece]).subarray(-outputInErrors);
      },
    },
    group: "own",
    lifetime: "bound",
  }).catch((error: unknown) => {
    throw new OperationalError(
      provisionerErrors.failed,
      `Error running command '${command}': ${asSentence(messageOf(error))} Output: `,
    );
  });
  const stop = () => void running.end({ signal: "SIGINT", graceMilliseconds: 5_000 });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const exit = await running.ended;
  signal.removeEventListener("abort", stop);
  lines.end();
  if (exit.kind === "code" && exit.code === 0) return;
  const how = exit.kind === "code" ? `exit status ${exit.code}` : `signal: ${exit.signal}`;
  throw new OperationalError(
    provisionerErrors.failed,
    `Error running command '${command}': ${how}. Output: ${end.toString("utf8")}`,
  );
}

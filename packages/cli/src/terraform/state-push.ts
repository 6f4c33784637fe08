import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { errorDiagnostic } from "@millwright/core/diagnostics";
import { readStateFile } from "@millwright/engine/read-state-file";
import type { StateFile } from "@millwright/engine/state-file";
import type { CommandIo } from "../io.ts";
import { sealingOf } from "./backend/sealing.ts";
import { runCommand } from "./command.ts";
import { stateOptions } from "./open-state.ts";
import { ignoreRemoteVersion, jsonLinesFlag, stateFlags, viewFlags } from "./options.ts";
import type { CommandStyle, Session } from "./session.ts";
import { whyNoFile } from "./why-no-file.ts";
import { withState } from "./with-state.ts";

export function runStatePush(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        "no-color": viewFlags["no-color"],
        ...jsonLinesFlag,
        lock: stateFlags.lock,
        "lock-timeout": stateFlags["lock-timeout"],
        "ignore-remote-version": ignoreRemoteVersion,
        force: { kind: "bool", help: "Write it also over a newer state, or one of another lineage." },
      },
      usage: "state push [flags] PATH",
      about:
        'Writes a state file to where the folder keeps its state; "-" is standard input. Refused where that is newer, or is another state.',
      example: "state push errored.tfstate",
      jsonLines: true,
      arguments: [1, 1],
      run: async ({ session, values, occurrences, args: [path = ""] }) => {
        const file = await readPushed(session, path);
        if (!file) return 1;
        const options = stateOptions({ ...values, state: undefined }, occurrences, "state-push");
        return withState(session, { ...options, byHand: true }, async ({ kept }) => {
          const refused = values.force ? undefined : conflict(file, kept.current);
          if (refused !== undefined) {
            const detail = `${refused}. Nothing was written. Give -force where you are sure that the state in place is the wrong one.`;
            return session.refuse("Failed to write state", detail);
          }
          await kept.put(file);
          return 0;
        });
      },
    },
    args,
    io,
    style,
  );
}

function conflict(file: StateFile, there: StateFile): string | undefined {
  if (there.lineage === "") return undefined;
  if (file.lineage !== there.lineage)
    return `cannot import state with lineage "${file.lineage}" over unrelated state with lineage "${there.lineage}"`;
  if (file.serial < there.serial)
    return `cannot import state with serial ${file.serial} over newer state with serial ${there.serial}`;
  return undefined;
}

async function readPushed(session: Session, path: string): Promise<StateFile | undefined> {
  const unreadable = path === "-" ? undefined : whyNoFile(session, path);
  if (unreadable !== undefined) {
    await session.report([errorDiagnostic("Failed to read the given file as a state", unreadable)]);
    return undefined;
  }
  const bytes = path === "-" ? await allOf(session.io.stdin) : readFileSync(session.path(path));
  const sealing = await sealingOf(session, [], "state");
  if (!sealing) return undefined;
  // A state that is pushed may be in clear, as state pull prints it.
  const isClear = /"version"\s*:\s*4\b/.test(Buffer.from(bytes.subarray(0, 200)).toString("utf8"));
  const plain = isClear ? bytes : await sealing.open(bytes);
  const read = readStateFile(Buffer.from(plain).toString("utf8"), path);
  return (await session.report(read.diagnostics)) ? read.value : undefined;
}

async function allOf(stream: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

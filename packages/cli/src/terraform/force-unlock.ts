import { errorDiagnostic } from "@millwright/core/diagnostics";
import type { CommandIo } from "../io.ts";
import { styleOf, wrapText } from "../views/style.ts";
import { ask } from "./ask.ts";
import { openStorage } from "./backend/storage.ts";
import { runCommand } from "./command.ts";
import { jsonLinesFlag, viewFlags } from "./options.ts";
import { programName } from "./program-name.ts";
import type { CommandStyle } from "./session.ts";

export function runForceUnlock(args: readonly string[], io: CommandIo, style: CommandStyle): Promise<number> {
  return runCommand(
    {
      flags: {
        "no-color": viewFlags["no-color"],
        ...jsonLinesFlag,
        force: { kind: "bool", help: "Do not ask before." },
      },
      usage: "force-unlock [flags] LOCK_ID",
      about:
        "Takes a lock away whose holder has died, by the id that its error shows. The lock of a state in a file ends with its process, and never needs this.",
      example: "force-unlock 1941a539-ff25-76ef-92d2-547ab37b24ed",
      jsonLines: true,
      arguments: [1, 1],
      run: async ({ session, values, occurrences, args: [id = ""] }) => {
        const open = await openStorage(session, occurrences);
        if (!open) return 1;
        try {
          if (open.type === "local") {
            const detail = `The lock of a state in a file is the kernel's: it ends with its process, however that ends, so there is none to take away. Where a run still holds it, end that run.`;
            await session.report([errorDiagnostic("Local state cannot be unlocked by another process", detail)]);
            return 1;
          }
          const slot = open.storage.slot(open.workspace);
          if (!values.force && values.json)
            return session.refuse("Nobody to ask", "With -json nobody is asked: give -force.");
          if (!values.force) {
            const what = `The lock on ${slot.place} is taken away. Where its holder is still at work, both may spoil the state. Only "yes" is accepted.`;
            const lines = wrapText(what, session.view.width - 2).map((line) => `  ${line}\n`);
            const question = `Do you really want to force-unlock?\n${lines.join("")}\n  Enter a value: `;
            if ((await ask(io, question))?.trim() !== "yes") {
              await io.stdout("\nforce-unlock cancelled.\n");
              return 1;
            }
          }
          await slot.forceUnlock(id, io.signal);
          const name = programName(style);
          const text = `${name} state has been successfully unlocked!`;
          const shown = `${styleOf(session.view).green(text)}\n\nThe next command can take the lock.`;
          await session.say(text, { shown });
          return 0;
        } finally {
          await open.storage.close();
        }
      },
    },
    args,
    io,
    style,
  );
}

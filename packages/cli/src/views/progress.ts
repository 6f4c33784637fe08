import type { EphemeralAction, RunAction, RunEvent, RunListener } from "@millwright/engine/ports";
import type { Session } from "../terraform/session.ts";
import { keyOf, StillGoing } from "./still-going.ts";
import { styleOf } from "./style.ts";

const words: Readonly<Record<RunAction, readonly [string, string]>> = {
  create: ["Creating", "Creation"],
  update: ["Modifying", "Modifications"],
  delete: ["Destroying", "Destruction"],
  read: ["Reading", "Read"],
};

const opening: Readonly<Record<EphemeralAction, readonly [string, string]>> = {
  open: ["Opening", "Open"],
  renew: ["Renewing", "Renew"],
  close: ["Closing", "Close"],
};

/** Tells of each step as it happens, and every ten seconds of those that take long. */
export function progressView(session: Session, phase: "plan" | "apply"): RunListener {
  const { bold } = styleOf(session.view);
  const going = new StillGoing();
  const say = (text: string) => void session.io.stdout(`${text}\n`);
  return (event: RunEvent) => {
    const name = bold(
      `${event.address}${"deposedKey" in event && event.deposedKey !== undefined ? ` (deposed object ${event.deposedKey})` : ""}:`,
    );
    const id = "id" in event && event.id !== undefined ? ` [${event.id}]` : "";
    switch (event.kind) {
      case "refresh-start":
        return say(`${name} Refreshing state...${id}`);
      case "apply-start": {
        if (phase === "plan" && event.action !== "read") return;
        say(`${name} ${words[event.action][0]}...${id}`);
        const still = `${name} Still ${words[event.action][0].toLowerCase()}... [${event.id === undefined ? "" : `${event.id}, `}`;
        return going.begin(keyOf(event), (seconds) => say(`${still}${seconds}s elapsed]`));
      }
      case "apply-done":
        going.end(keyOf(event));
        return say(`${name} ${words[event.action][1]} complete after ${Math.round(event.seconds)}s${id}`);
      case "apply-failed":
        return going.end(keyOf(event));
      case "import-start":
        return say(`${name} ${phase === "plan" ? "Preparing import" : "Importing"}...${id}`);
      case "import-done":
        return say(`${name} Import complete${id}`);
      case "ephemeral-start":
        return say(`${name} ${opening[event.action][0]}...`);
      case "ephemeral-done":
        return say(`${name} ${opening[event.action][1]} complete`);
      case "provision-start":
        return say(`${name} Provisioning with '${event.provisioner}'...`);
      case "provision-output":
        return say(`${bold(`${event.address} (${event.provisioner}):`)} ${event.line}`);
      case "provision-done":
      case "provision-failed":
      case "refresh-done":
      case "planned":
        return;
    }
  };
}

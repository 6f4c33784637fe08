import type { CommandStyle } from "./session.ts";

const names: Readonly<Record<CommandStyle, string>> = {
  millwright: "Millwright",
  terraform: "Terraform",
  tofu: "OpenTofu",
};

/** What the program is called in texts, by the command line that was typed. */
export function programName(style: CommandStyle): string {
  return names[style];
}

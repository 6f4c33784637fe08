import { programName } from "../terraform/program-name.ts";
import type { Session } from "../terraform/session.ts";
import { styleOf, wrapText } from "../views/style.ts";

/** What init tells: lines for people, or the same as JSON with the codes that Terraform gives them. */
export class InitOutput {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** How the program is called in texts. */
  get name(): string {
    return programName(this.#session.style);
  }

  /** A line that begins a part of the work. */
  async heading(code: InitCode, text: string): Promise<void> {
    const { json, io, view } = this.#session;
    if (json) json.initOutput(code, text);
    else await io.stdout(`${styleOf(view).bold(text)}\n`);
  }

  /** A paragraph for whoever has to go on. */
  async paragraph(code: InitCode, text: string, look: "plain" | "success" = "plain"): Promise<void> {
    const { json, io, view } = this.#session;
    const style = styleOf(view);
    const shown = wrapText(text, view.width).join("\n");
    if (json) json.initOutput(code, text);
    else await io.stdout(`\n${look === "success" ? style.green(style.bold(shown)) : shown}\n`);
  }

  /** One thing that was done; `forPrograms` where JSON says it in other words. */
  async line(text: string, forPrograms = text): Promise<void> {
    const { json, io } = this.#session;
    if (json) json.log(forPrograms);
    else await io.stdout(`${text}\n`);
  }
}

/** Source: Terraform's documentation of its machine-readable UI, and the lines of 1.11.4. */
export type InitCode =
  | "initializing_backend_message"
  | "backend_configured_success"
  | "backend_configured_unset"
  | "initializing_modules_message"
  | "upgrading_modules_message"
  | "initializing_provider_plugin_message"
  | "lock_info"
  | "dependencies_lock_changes_info"
  | "copying_configuration_message"
  | "output_init_empty_message"
  | "output_init_success_message"
  | "output_init_success_cli_message";

import type { Commands } from "../commands.ts";
import type { OrchestratorContext } from "../context.ts";
import type { NodeForwarder } from "./node-forwarder.ts";

/** What the routes of the public API work with. */
export interface HttpContext extends OrchestratorContext {
  readonly commands: Commands;
  readonly nodes: NodeForwarder;
  /** The public keys that identities of tasks are checked with. */
  jwks(): readonly Readonly<Record<string, string>>[];
  /** Indent all JSON, as a development server does. */
  readonly pretty: boolean;
}

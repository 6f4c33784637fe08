import type { RunListener } from "@millwright/engine/ports";
import type { Session } from "../terraform/session.ts";

/** Tells of steps with the name of their instance, as those of several are under way. */
export function named({ instance }: Session, listener: RunListener): RunListener {
  return instance ? (event) => listener({ ...event, address: `${instance.name}: ${event.address}` }) : listener;
}

import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DriftReport } from "@millwright/engine/drift";
import type { Session } from "./session.ts";

/** What one look for drift has found: names alone, never values. */
export interface DriftRecord {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly lineage: string;
  readonly serial: number;
  readonly found: readonly DriftEntry[];
  readonly ignored: readonly (DriftEntry & { readonly reason: string; readonly until: string })[];
}

export interface DriftEntry {
  readonly address: string;
  readonly kind: "changed" | "deleted";
  readonly attributes: readonly string[];
}

const logName = ".millwright/history/drift.jsonl";

/** The record of a look, as it is kept. */
export function driftRecord({ found, ignored }: DriftReport, lineage: string, serial: number): DriftRecord {
  const entry = ({ change, kind, attributes }: DriftReport["found"][number]): DriftEntry => {
    return { address: change.address.text, kind, attributes };
  };
  return {
    at: new Date().toISOString(),
    lineage,
    serial,
    found: found.map(entry),
    ignored: ignored.map(({ finding, by }) => ({ ...entry(finding), reason: by.reason, until: by.until })),
  };
}

// Instances of one template share its folder: the log of each lies with its state.
function logPath({ folder, instance }: Session): string {
  return join(instance ? dirname(instance.statePath) : folder, logName);
}

/** Adds a record to the log of drift of the folder, or of the instance. */
export function keepDrift(session: Session, record: DriftRecord): void {
  const path = logPath(session);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  appendFileSync(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

/** All records of a folder, the oldest first; lines that a kill has cut off are left out. */
export function keptDrift(session: Session): DriftRecord[] {
  const path = logPath(session);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return line === "" ? [] : [JSON.parse(line) as DriftRecord];
      } catch {
        return [];
      }
    });
}

import type { SecretStorage } from "../storage.ts";

/** One audit device, as it is stored. */
export interface AuditDevice {
  /** With a slash at its end: `file/`. */
  readonly path: string;
  readonly type: "file";
  readonly description: string;
  /** As they were given. */
  readonly options: Readonly<Record<string, string>>;
  readonly accessor: string;
  /** Base64. */
  readonly salt: string;
}

const tablePath = "core/audit";

export async function readAuditTable(
  storage: SecretStorage,
): Promise<{ readonly devices: readonly AuditDevice[]; readonly revision: number }> {
  const held = await storage.get(tablePath);
  if (!held) return { devices: [], revision: 0 };
  const { devices } = JSON.parse(Buffer.from(held.value).toString()) as { readonly devices: readonly AuditDevice[] };
  return { devices, revision: held.revision };
}

/** Writes what `change` makes of the table; it may throw, and is asked again where another server was first. */
export async function changeAuditTable(
  storage: SecretStorage,
  change: (devices: readonly AuditDevice[]) => readonly AuditDevice[],
): Promise<void> {
  for (;;) {
    const table = await readAuditTable(storage);
    const value = Buffer.from(JSON.stringify({ format: 1, devices: change(table.devices) }));
    const conditions = [{ path: tablePath, revision: table.revision }];
    if (await storage.commit([{ op: "put", path: tablePath, value }], conditions)) return;
  }
}

/** Whether paths that were written say that the table may be another. */
export function concernsAudit(paths: readonly string[]): boolean {
  return paths.includes(tablePath);
}

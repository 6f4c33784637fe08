// Appends lines to the audit file named by its argument under a limit on the size of files until one is refused, says so, and
// goes on once something arrives on its standard input (the limit was raised then).
import { once } from "node:events";
import { writeSync } from "node:fs";
import { AuditFile } from "../src/audit/audit-file.ts";

const file = new AuditFile({ path: process.argv[2] ?? "", mode: 0o600 });
let acknowledged = 0;
let refusal = "";
while (refusal === "") {
  await file.write(`${JSON.stringify({ line: acknowledged, filler: "x".repeat(100) })}\n`).then(
    () => {
      acknowledged += 1;
    },
    (error: unknown) => {
      refusal = String(error);
    },
  );
}
writeSync(1, `${JSON.stringify({ acknowledged, refusal })}\n`);
await once(process.stdin, "data");
await file.write(`${JSON.stringify({ line: acknowledged })}\n`);
await file.close();
process.exit();

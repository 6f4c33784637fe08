import { parentPort } from "node:worker_threads";
import { assertNever, invariant, messageOf, OperationalError } from "@millwright/core/errors";
import { SqliteFile } from "./sqlite-file.ts";
import type { Version } from "./history.ts";
import type { SqliteRequest, SqliteResponse } from "./sqlite.ts";

// The thread in which the SQLite file of a store is read and written: one answer a request, in order.

const bytesPerPart = 256 * 1024;

invariant(parentPort, "this file runs as a worker thread");
const port = parentPort;
let file: SqliteFile | undefined;
let parts: Iterator<readonly Version[]> | undefined;

port.on("message", (request: SqliteRequest) => {
  port.postMessage(answer(request));
  if (request.do === "close") port.close();
});

function answer(request: SqliteRequest): SqliteResponse {
  try {
    return { ok: true, value: handle(request) };
  } catch (error) {
    if (error instanceof OperationalError) return { ok: false, kind: error.kind, message: error.message };
    return { ok: false, kind: undefined, message: messageOf(error) };
  }
}

function handle(request: SqliteRequest): unknown {
  if (request.do === "open") {
    file = new SqliteFile(request.options);
    parts = file.versions(bytesPerPart);
    return file.state();
  }
  invariant(file && parts, "the file is opened first");
  switch (request.do) {
    case "read":
      return parts.next().value ?? null;
    case "append":
      return file.append(request.records);
    case "close":
      return file.close();
    default:
      return assertNever(request);
  }
}

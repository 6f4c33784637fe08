import { readFileSync, writeFileSync } from "node:fs";
import { silentLog, systemClock } from "@millwright/core/ports";
import { rawExecDriver } from "../src/driver/raw-exec.ts";
import { openLogs } from "../src/logs/open-logs.ts";

/*
 * An agent to be killed: `node crash-tasks.ts DATA LAUNCH SAVED` starts the task of the file LAUNCH, writes its handle to
 * the file SAVED, and waits.
 */
const [, , dataFolder = "", launchFile = "", savedFile = ""] = process.argv;
const { launch, limits } = JSON.parse(readFileSync(launchFile, "utf8"));
const logs = await openLogs(dataFolder, { clock: systemClock, log: silentLog });
const { allocation, task, folders } = launch;
const output = await logs.attach({ allocation, task, folder: folders.allocation, limits });
const driver = rawExecDriver({ node: "here" });
const signal = new AbortController().signal;
const handle = await driver.start({ ...launch, output, progress: () => undefined, signal });
writeFileSync(`${savedFile}.new`, JSON.stringify(handle.saved));
writeFileSync(savedFile, readFileSync(`${savedFile}.new`));
setInterval(() => undefined, 60_000);

import { execFileSync } from "node:child_process";
import { constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Drain, type DrainedFile } from "../src/logs/drain.ts";

/*
 * Drains, as the log process has them: `node drain-program.ts SCENARIO` prints what comes of it as JSON. A program of its own,
 * since a thread closes at its end what it has opened, though a socket has closed it meanwhile and the number is another's.
 */
const folder = mkdtempSync(join(tmpdir(), "millwright-drain-"));

/** A file on a disk that has room for some bytes. */
class SmallDisk implements DrainedFile {
  text = "";
  room: number;
  isOpen = true;

  constructor(room: number) {
    this.room = room;
  }

  write(bytes: Uint8Array) {
    const taken = bytes.subarray(0, this.room);
    this.room -= taken.length;
    this.text += Buffer.from(taken);
    return taken.length === bytes.length ? { bytes: taken.length } : { bytes: taken.length, fault: "the disk is full" };
  }

  close() {
    this.isOpen = false;
  }
}

function open(room: number) {
  const fifo = join(mkdtempSync(join(folder, "x")), "fifo");
  execFileSync("mkfifo", [fifo]);
  const writer = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const disk = new SmallDisk(room);
  return { disk, drain: new Drain(fifo, disk), write: (text: string) => writeSync(writer, text) };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`);

const scenarios: Record<string, () => Promise<unknown>> = {
  flow: async () => {
    const { disk, drain, write } = open(Number.POSITIVE_INFINITY);
    for (const line of lines(0, 100)) write(line);
    await until(() => disk.text.endsWith("line 99\n"));
    for (const line of lines(100, 200)) write(line);
    const isFinished = drain.finish();
    return { isFinished, isWhole: disk.text === lines(0, 200).join(""), isOpen: disk.isOpen };
  },
  full: async () => {
    const { disk, drain, write } = open(5);
    write("one\ntwo\n");
    await until(() => drain.fault !== undefined);
    write("three\n");
    const told = { fault: drain.fault, isFinished: drain.finish(), text: disk.text, isOpen: disk.isOpen };
    disk.room = 1000;
    await until(() => disk.text.endsWith("three\n"));
    return { ...told, then: disk.text, thenFault: drain.fault ?? "none" };
  },
  finish: async () => {
    const { disk, drain, write } = open(5);
    write("one\ntwo\n");
    await until(() => drain.fault !== undefined);
    write("three\n");
    disk.room = 1000;
    return { isFinished: drain.finish(), text: disk.text };
  },
  two: async () => {
    const [full, other] = [open(0), open(1000)];
    full.write("mine\n");
    await until(() => full.drain.fault !== undefined);
    other.write("the other's\n");
    await until(() => other.disk.text !== "");
    full.disk.room = 1000;
    await until(() => full.disk.text !== "");
    return { full: full.disk.text, other: other.disk.text };
  },
};

const result = await scenarios[process.argv[2] ?? ""]?.();
rmSync(folder, { recursive: true });
writeSync(1, JSON.stringify(result));
process.exit(0);

import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Drain, type DrainedFile } from "./drain.ts";

let folder: string;
let fifo: string;
let writer: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "millwright-drain-"));
  fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  writer = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
});
afterEach(() => {
  closeSync(writer);
  rmSync(folder, { recursive: true, force: true });
});

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

test("what is written goes over, and no byte twice", async () => {
  const disk = new SmallDisk(Number.POSITIVE_INFINITY);
  const drain = new Drain(fifo, disk);
  for (let i = 0; i < 100; i++) writeSync(writer, `line ${i}\n`);
  await expect.poll(() => disk.text.endsWith("line 99\n")).toBe(true);
  for (let i = 100; i < 200; i++) writeSync(writer, `line ${i}\n`);
  expect(drain.finish()).toBe(true);
  expect(disk.text).toBe(Array.from({ length: 200 }, (_, i) => `line ${i}\n`).join(""));
  expect(disk.isOpen).toBe(false);
});

test("on a full disk it keeps what it read, reads no more, and goes on when there is room", async () => {
  const disk = new SmallDisk(5);
  const drain = new Drain(fifo, disk);
  writeSync(writer, "one\ntwo\n");
  await expect.poll(() => drain.fault).toBe("the disk is full");
  writeSync(writer, "three\n");
  expect(drain.finish()).toBe(false);
  expect(disk).toMatchObject({ text: "one\nt", isOpen: true });
  disk.room = 1000;
  await expect.poll(() => disk.text).toBe("one\ntwo\nthree\n");
  expect(drain.fault).toBeUndefined();
  drain.close();
});

test("a finish on a disk that has room again writes all of it", async () => {
  const disk = new SmallDisk(5);
  const drain = new Drain(fifo, disk);
  writeSync(writer, "one\ntwo\n");
  await expect.poll(() => drain.fault).toBe("the disk is full");
  writeSync(writer, "three\n");
  disk.room = 1000;
  expect(drain.finish()).toBe(true);
  expect(disk.text).toBe("one\ntwo\nthree\n");
});

test("what one drain keeps, another one does not overwrite", async () => {
  const [full, other] = [new SmallDisk(0), new SmallDisk(1000)];
  const otherFifo = join(folder, "other");
  execFileSync("mkfifo", [otherFifo]);
  const drains = [new Drain(fifo, full), new Drain(otherFifo, other)];
  const otherWriter = openSync(otherFifo, "w");
  writeSync(writer, "mine\n");
  await expect.poll(() => drains[0]?.fault).toBe("the disk is full");
  writeSync(otherWriter, "XXXXXXXXXX\n");
  await expect.poll(() => other.text).toBe("XXXXXXXXXX\n");
  full.room = 1000;
  await expect.poll(() => full.text).toBe("mine\n");
  for (const drain of drains) drain.close();
  closeSync(otherWriter);
});

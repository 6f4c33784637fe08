import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "@millwright/core/ports";
import { describe, expect, onTestFinished, test } from "vitest";
import { DockerEngine } from "./engine.ts";
import { followContainer, Frames, type Position } from "./follow-container.ts";

type Line = readonly ["stdout" | "stderr", number, string];

const timeOf = (nanosecond: number) => `2026-11-21T12:00:00.${String(nanosecond).padStart(9, "0")}Z`;

function frame([stream, at, text]: Line): Buffer {
  const body = Buffer.from(`${timeOf(at)} ${text}`);
  const header = Buffer.alloc(8);
  header[0] = stream === "stderr" ? 2 : 1;
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

test("frames are taken apart, however the bytes come", () => {
  const bytes = Buffer.concat([
    frame(["stdout", 1, "one\n"]),
    frame(["stderr", 2, ""]),
    frame(["stdout", 3, "two words"]),
  ]);
  for (let size = 1; size <= bytes.length; size++) {
    const frames = new Frames();
    const pieces = [];
    for (let i = 0; i < bytes.length; i += size) pieces.push(...frames.take(bytes.subarray(i, i + size)));
    expect(pieces.map(({ stream, at, bytes: text }) => [stream, at, text.toString()])).toEqual([
      ["stdout", timeOf(1), "one\n"],
      ["stderr", timeOf(2), ""],
      ["stdout", timeOf(3), "two words"],
    ]);
  }
});

/** An engine with one container: each look at its log answers with the next of these. */
async function fakeEngine(
  looks: readonly { readonly running: boolean; readonly send: (response: ServerResponse) => void }[],
) {
  const folder = mkdtempSync(join(tmpdir(), "follow-"));
  const path = join(folder, "docker.sock");
  let look = 0;
  const server = createServer((request, response) => {
    const current = looks[look];
    if (!current) response.writeHead(404).end("{}");
    else if (request.url!.startsWith("/containers/c/json"))
      response.end(JSON.stringify({ State: { Running: current.running, Status: "running" } }));
    else {
      look++;
      current.send(response);
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });
  return new DockerEngine({ kind: "socket", path });
}

const lines: readonly Line[] = [
  ["stdout", 1, "a\n"],
  ["stderr", 2, "E\n"],
  ["stdout", 3, "b\n"],
  ["stdout", 3, "c\n"],
  ["stdout", 3, "d\n"],
  ["stderr", 3, "F\n"],
  ["stdout", 4, "e\n"],
];
const sending = (from: readonly Line[]) => (response: ServerResponse) =>
  void response.end(Buffer.concat(from.map(frame)));

describe("a container's output comes once, and whole", () => {
  const follow = async (looks: Parameters<typeof fakeEngine>[0], from: Position = {}, clock: Clock = systemClock) => {
    const written = { stdout: "", stderr: "" };
    let kept: Position = from;
    await followContainer({
      engine: await fakeEngine(looks),
      container: "c",
      from,
      write: async (bytes, stream) => {
        written[stream] += Buffer.from(bytes).toString();
      },
      keep: (position) => {
        kept = position;
      },
      clock,
      signal: new AbortController().signal,
    });
    return { written, kept };
  };
  const all = { stdout: "a\nb\nc\nd\ne\n", stderr: "E\nF\n" };

  test("from one that has ended", async () => {
    const { written, kept } = await follow([{ running: false, send: sending(lines) }]);
    expect(written).toEqual(all);
    expect(kept).toEqual({ stdout: { at: timeOf(4), pieces: 1 }, stderr: { at: timeOf(3), pieces: 1 } });
  });

  for (let cut = 0; cut <= lines.length; cut++)
    test(`where the engine stops behind line ${cut}, and tells all again`, async () => {
      const breakOff = (response: ServerResponse) => {
        response.write(
          Buffer.concat([...lines.slice(0, cut).map(frame), frame(["stdout", 9, "never whole"]).subarray(0, 9)]),
        );
        setTimeout(() => response.destroy(), 10);
      };
      const { written } = await follow([
        { running: true, send: breakOff },
        { running: false, send: sending(lines) },
      ]);
      expect(written).toEqual(all);
    });

  test("from where another one left off", async () => {
    const { written } = await follow([{ running: false, send: sending(lines) }], {
      stdout: { at: timeOf(3), pieces: 2 },
      stderr: { at: timeOf(2), pieces: 1 },
    });
    expect(written).toEqual({ stdout: "d\ne\n", stderr: "F\n" });
  });

  test("where the engine tells some again in the middle", async () => {
    const { written } = await follow([
      { running: false, send: sending([...lines, ...lines.slice(2), ["stdout", 5, "f\n"]]) },
    ]);
    expect(written).toEqual({ ...all, stdout: `${all.stdout}f\n` });
  });

  test("where the engine tells the last one again in the middle", async () => {
    const { written } = await follow([
      { running: false, send: sending([...lines, lines.at(-1)!, ["stdout", 5, "f\n"]]) },
    ]);
    expect(written).toEqual({ ...all, stdout: `${all.stdout}f\n` });
  });

  test("where the machine's clock was set back", async () => {
    const late = lines.map(([stream, at, text]): Line => [stream, at + 100, text]);
    let setBack = 0;
    const clock = { ...systemClock, now: () => systemClock.now() - setBack };
    const send = (response: ServerResponse) => {
      response.write(Buffer.concat(late.map(frame)));
      setTimeout(() => {
        setBack = 1_000;
        response.end(Buffer.concat(lines.map(frame)));
      }, 50);
    };
    const { written } = await follow([{ running: false, send }], {}, clock);
    expect(written).toEqual({ stdout: all.stdout.repeat(2), stderr: all.stderr.repeat(2) });
  });

  test("from one that is no more: nothing", async () => {
    expect((await follow([])).written).toEqual({ stdout: "", stderr: "" });
  });
});

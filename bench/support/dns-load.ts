import { createSocket } from "node:dgram";

/** What a run of questions came to; times in milliseconds. */
export interface LoadResult {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly lost: number;
}

export interface Load {
  readonly port: number;
  readonly name: string;
  readonly type: "A" | "SRV";
  readonly seconds: number;
  /** Questions a second, evenly; without it the next one follows each answer, 100 under way. */
  readonly rate?: number;
}

const typeNumbers = { A: 1, SRV: 33 } as const;
const underWay = 100;

/** Asks over UDP from one socket, and takes the time of each answer. */
export async function askLoad({ port, name, type, seconds, rate }: Load): Promise<LoadResult> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.connect(port, "127.0.0.1", resolve));
  const question = questionFor(name, typeNumbers[type]);
  const sent = new Float64Array(65_536);
  const times: number[] = [];
  const begun = performance.now();
  const end = begun + seconds * 1000;
  let next = 0;
  const ask = () => {
    const id = next++ & 0xffff;
    const message = Buffer.from(question);
    message.writeUInt16BE(id, 0);
    sent[id] = performance.now();
    socket.send(message);
  };
  socket.on("message", (answer) => {
    const now = performance.now();
    times.push(now - sent[answer.readUInt16BE(0)]!);
    if (rate === undefined && now < end) ask();
  });
  if (rate === undefined) for (let i = 0; i < underWay; i++) ask();
  while (performance.now() < end) {
    const due = rate === undefined ? 0 : Math.floor(((performance.now() - begun) / 1000) * rate);
    while (next < due) ask();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  socket.close();
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN;
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99), p999: at(0.999), lost: next - times.length };
}

function questionFor(name: string, type: number): Buffer {
  const labels = name.split(".").flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  const head = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  // The OPT record at the end: answers of 1,232 bytes are welcome.
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, type, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])]);
}

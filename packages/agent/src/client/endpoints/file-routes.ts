import type { HttpReply } from "@millwright/core/http";
import { jsonReply } from "@millwright/core/http-reply";
import { OperationalError } from "@millwright/core/errors";
import { allocationOf, badRequest, type EndpointContext, taskNamed, visibleOf } from "./context.ts";
import { endpointErrors } from "./errors.ts";
import { listFolder, statFile } from "./file-info.ts";
import { type Position, piecesOf, readFrames } from "./follow-file.ts";
import { encodeFrames, type Frame, plainFrames } from "./frames.ts";
import { openInside, type Visible } from "./inside.ts";
import { hasLogs, readLogs } from "./read-logs.ts";
import type { EndpointCall, EndpointRoute } from "./route.ts";

/** `/v1/client/fs`: the files and logs of allocations. Source: Nomad's API documentation, "Client". */
export function fileRoutes(context: EndpointContext): EndpointRoute[] {
  const visible = (call: EndpointCall) => visibleOf(allocationOf(context, call.params["alloc"] ?? ""));
  return [
    {
      method: "GET",
      pattern: "/v1/client/fs/ls/*alloc",
      handle: async (call) => jsonReply(await listFolder(visible(call), textOf(call, "path")), isPretty(call)),
    },
    {
      method: "GET",
      pattern: "/v1/client/fs/stat/*alloc",
      handle: async (call) => jsonReply(await statFile(visible(call), textOf(call, "path")), isPretty(call)),
    },
    {
      method: "GET",
      pattern: "/v1/client/fs/cat/*alloc",
      handle: (call) => readWhole(call, visible(call), { offset: 0, limit: undefined }),
    },
    {
      method: "GET",
      pattern: "/v1/client/fs/readat/*alloc",
      handle: (call) => {
        const limit = call.request.query.has("limit") ? wholeOf(call, "limit") : undefined;
        return readWhole(call, visible(call), { offset: wholeOf(call, "offset"), limit });
      },
    },
    {
      method: "GET",
      pattern: "/v1/client/fs/stream/*alloc",
      handle: async (call) => {
        const reading = { ...positionOf(call), follow: flagOf(call, "follow", true), signal: call.request.signal };
        // What cannot be read is an error, and no answer that breaks off.
        await (await openInside(visible(call), pathOf(call))).close();
        return framesReply(call, readFrames(visible(call), pathOf(call), reading));
      },
    },
    { method: "GET", pattern: "/v1/client/fs/logs/*alloc", handle: (call) => logs(call, context) },
  ];
}

async function logs(call: EndpointCall, context: EndpointContext): Promise<HttpReply> {
  const { query, signal } = call.request;
  const id = call.params["alloc"] ?? "";
  const held = allocationOf(context, id);
  const task = query.get("task") || onlyTask(held.group.tasks);
  taskNamed(held, task);
  const type = query.get("type") || "stdout";
  if (type !== "stdout" && type !== "stderr") throw badRequest("must provide log type (stdout/stderr)");
  const state = held.update.TaskStates[task];
  const visible = visibleOf(held);
  if (!state || (state.StartedAt === 0 && !(await hasLogs({ visible, task, type })))) {
    const text = `Task ${JSON.stringify(task)} not started yet. No logs available. Its events say why: alloc status ${id.slice(0, 8)}`;
    throw new OperationalError(endpointErrors.notFound, text);
  }
  const frames = readLogs({
    ...positionOf(call),
    visible,
    task,
    type,
    follow: flagOf(call, "follow", false),
    hasEnded: () => (context.allocations.get(id)?.update.TaskStates[task]?.State ?? "dead") === "dead",
    onChange: (wake) => context.onChange(id, wake),
    signal,
  });
  return framesReply(call, frames);
}

function onlyTask(tasks: readonly { readonly name: string }[]): string {
  const [first] = tasks;
  if (first && tasks.length === 1) return first.name;
  throw badRequest("must provide task name");
}

async function readWhole(
  call: EndpointCall,
  visible: Visible,
  { offset, limit }: { readonly offset: number; readonly limit: number | undefined },
): Promise<HttpReply> {
  const file = await openInside(visible, pathOf(call));
  // To where it ends now: a file that grows as fast as it is read has an end all the same.
  const { size } = await file.stat();
  const to = limit === undefined ? size : Math.min(size, offset + limit);
  async function* body() {
    try {
      yield* piecesOf(file, offset, to);
    } finally {
      await file.close();
    }
  }
  return { status: 200, headers: { "content-type": "application/octet-stream" }, body: body() };
}

function framesReply(call: EndpointCall, frames: AsyncIterable<Frame>): HttpReply {
  const isPlain = flagOf(call, "plain", false);
  const type = isPlain ? "text/plain; charset=utf-8" : "application/json";
  // Compressing would hold pieces back.
  const headers = { "content-type": type, "content-encoding": "identity" };
  return { status: 200, headers, body: isPlain ? plainFrames(frames) : encodeFrames(frames) };
}

function positionOf(call: EndpointCall): Position {
  const origin = call.request.query.get("origin") || "start";
  if (origin !== "start" && origin !== "end") throw badRequest("origin must be start or end");
  return { origin, offset: wholeOf(call, "offset") };
}

function pathOf(call: EndpointCall): string {
  const path = textOf(call, "path");
  if (path === "") throw badRequest("must provide a file path");
  return path;
}

function textOf({ request }: EndpointCall, name: string): string {
  return request.query.get(name) ?? "";
}

function wholeOf(call: EndpointCall, name: string): number {
  const text = textOf(call, name);
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw badRequest(`${name} is ${JSON.stringify(text)}; write a whole number that is not negative.`);
}

function flagOf(call: EndpointCall, name: string, otherwise: boolean): boolean {
  const text = textOf(call, name);
  if (text === "") return otherwise;
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw badRequest(`${name} is ${JSON.stringify(text)}; write true or false.`);
}

function isPretty({ request }: EndpointCall): boolean {
  return request.query.has("pretty");
}

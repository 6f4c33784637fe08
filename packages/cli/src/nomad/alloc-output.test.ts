import { describe, expect, test } from "vitest";
import { list, type Route, type Routes } from "../../test/fake-nomad.ts";
import * as records from "../../test/nomad-records.ts";
import { runAgainst } from "../../test/run-nomad.ts";

const { ids } = records;

describe("the output of a task", () => {
  const frame = (text: string) => JSON.stringify({ Data: Buffer.from(text).toString("base64"), File: "f", Offset: 1 });
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`);
  /** Gives what a node would: all, or so many bytes of the end. */
  const logs: Route = {
    answer: ({ query }) => {
      const all = query.get("type") === "stderr" ? "went wrong\n" : lines.join("");
      const text = query.get("origin") === "end" ? all.slice(-Number(query.get("offset"))) : all;
      return { plain: { status: 200, text: `${frame(text)}{}` } };
    },
  };
  const routes: Routes = {
    "GET /v1/jobs": list(records.jobStubs),
    "GET /v1/job/myapp/allocations": { json: [records.stopped, records.allocation] },
    "GET /v1/allocations": list([records.allocation]),
    [`GET /v1/allocation/${ids.allocation}`]: { json: records.allocation },
    [`GET /v1/client/fs/logs/${ids.allocation}`]: logs,
  };
  const cases: readonly { readonly name: string; readonly args: readonly string[]; readonly out: string }[] = [
    { name: "is printed whole", args: ["0af9", "web"], out: lines.join("") },
    { name: "is its standard error, too", args: ["-stderr", "0af9", "web"], out: "went wrong\n" },
    { name: "begins at the last ten lines", args: ["-tail", "0af9", "web"], out: lines.slice(-10).join("") },
    { name: "begins at so many lines", args: ["-n", "2", "0af9", "web"], out: "line 29\nline 30\n" },
    { name: "begins at so many lines, although there are fewer", args: ["-n=99", "0af9", "web"], out: lines.join("") },
    { name: "begins at so many bytes", args: ["-c", "8", "0af9", "web"], out: "line 30\n" },
    { name: "is followed from the last lines on", args: ["-f", "-n=2", "0af9", "web"], out: "line 29\nline 30\n" },
    { name: "is that of a job's allocation that runs", args: ["-n=1", "-job", "myapp", "api"], out: "line 30\n" },
  ];
  test.each(cases)("$name", async ({ args, out }) => {
    expect(await runAgainst(routes, ["logs", ...args])).toMatchObject({ code: 0, out, err: "" });
  });

  test("needs the task's name where there are several", async () => {
    const { code, err } = await runAgainst(routes, ["logs", "0af9"]);
    expect(code).toBe(1);
    expect(err).toMatch(/is running the following tasks:\n {2}\* api\n {2}\* web\n\nPlease specify the task\.\n$/);
  });
});

describe("the files of an allocation", () => {
  const info = (Name: string, IsDir: boolean, Size: number) => ({
    Name,
    IsDir,
    Size,
    FileMode: IsDir ? "drwxr-xr-x" : "-rw-r--r--",
    ModTime: "2016-11-17T12:00:00Z",
    ContentType: IsDir ? "" : "text/plain",
  });
  const content = "one\ntwo\nthree\n";
  const of = (what: string) => `GET /v1/client/fs/${what}/${ids.allocation}`;
  const routes: Routes = {
    "GET /v1/allocations": list([records.allocation]),
    [`GET /v1/allocation/${ids.allocation}`]: { json: records.allocation },
    [of("stat")]: {
      answer: ({ query }) => ({
        json: query.get("path") === "/" ? info("", true, 4096) : info("f", false, content.length),
      }),
    },
    [of("ls")]: { json: [info("alloc", true, 4096), info("notes.txt", false, 2500)] },
    [of("cat")]: { plain: { status: 200, text: content } },
    [of("readat")]: {
      answer: ({ query }) => {
        const from = Number(query.get("offset"));
        return { plain: { status: 200, text: content.slice(from, from + Number(query.get("limit"))) } };
      },
    },
  };
  const cases: readonly { readonly name: string; readonly args: readonly string[]; readonly out: string }[] = [
    {
      name: "are listed",
      args: ["0af9"],
      out: "Mode        Size     Modified Time         Name\ndrwxr-xr-x  4.0 KiB  2016-11-17T12:00:00Z  alloc/\n-rw-r--r--  2.4 KiB  2016-11-17T12:00:00Z  notes.txt\n",
    },
    { name: "are printed", args: ["0af9", "f"], out: content },
    { name: "are printed from their last lines on", args: ["-n=2", "0af9", "f"], out: "two\nthree\n" },
    { name: "are printed from their last bytes on", args: ["-c=6", "0af9", "f"], out: "three\n" },
    {
      name: "are described",
      args: ["-stat", "-H", "0af9", "f"],
      out: "Mode        Size  Modified Time         Content Type  Name\n-rw-r--r--  14    2016-11-17T12:00:00Z  text/plain    f\n",
    },
  ];
  test.each(cases)("$name", async ({ args, out }) => {
    expect(await runAgainst(routes, ["fs", ...args])).toMatchObject({ code: 0, out, err: "" });
  });
});

import type { Log } from "@millwright/core/ports";
import { expect, test } from "vitest";
import { PluginLog } from "./plugin-log.ts";

function recording() {
  const written: unknown[] = [];
  const log: Log = {
    write: (level, message, fields) => written.push(fields ? [level, message, fields] : [level, message]),
  };
  return { written, plugin: new PluginLog("aws", log) };
}

test("structured lines keep their level and fields, others are told as they are", () => {
  const { written, plugin } = recording();
  plugin.write(Buffer.from('{"@level":"info","@message":"Creating","tf_rpc":"Apply"}\nplain '));
  plugin.write(Buffer.from("words\n{broken\n"));
  expect(written).toEqual([
    ["info", "aws: Creating", { tf_rpc: "Apply" }],
    ["debug", "aws: plain words"],
    ["debug", "aws: {broken"],
  ]);
});

test("the last words of a crash begin with the panic", () => {
  const { plugin } = recording();
  plugin.write(
    Buffer.from('before\n{"@level":"debug","@message":"x"}\npanic: oh\n\ngoroutine 1 [running]:\nmain.go:3\nrest'),
  );
  expect(plugin.lastWords(3)).toEqual(["panic: oh", "goroutine 1 [running]:", "main.go:3"]);
});

test("without a panic they are the last lines, a half one too", () => {
  const { plugin } = recording();
  plugin.write(Buffer.from('a\nb\n{"@level":"error","@message":"lost"}\nha'));
  expect(plugin.lastWords(2)).toEqual(["[ERROR] lost", "ha"]);
});

test("a provider that never stops writing takes no more and more memory", () => {
  const { plugin } = recording();
  for (let i = 0; i < 5000; i++) plugin.write(Buffer.from(`line ${i}\n`));
  expect(plugin.lastWords(10_000).length).toBeLessThan(1000);
  expect(plugin.lastWords(1)).toEqual(["line 4999"]);
});

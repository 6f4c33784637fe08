import { bytes, message, oneOf } from "./message.ts";

/** What a plugin program serves beside its own calls, so that it can be ended and its output be read. Source: go-plugin. */
export const shutdownPath = "/plugin.GRPCController/Shutdown";
export const streamStdioPath = "/plugin.GRPCStdio/StreamStdio";

export const emptyMessage = message("Empty", {});
export const stdioData = message("StdioData", { channel: oneOf(1, ["invalid", "stdout", "stderr"]), data: bytes(2) });

/** What a host puts into the environment, so that a program knows it was started as a plugin. */
export const magicCookie = {
  name: "TF_PLUGIN_MAGIC_COOKIE",
  value: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
};

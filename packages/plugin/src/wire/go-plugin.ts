import { bytes, message, oneOf } from "./message.ts";

/** What a plugin program serves beside its own calls, so that it can be ended and its output be read. Source: go-plugin. */
export const shutdownPath = "/plugin.GRPCController/Shutdown";
export const streamStdioPath = "/plugin.GRPCStdio/StreamStdio";

export const emptyMessage = message("Empty", {});
export const stdioData = message("StdioData", { channel: oneOf(1, ["invalid", "stdout", "stderr"]), data: bytes(2) });

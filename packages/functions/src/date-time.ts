import type { FunctionSpec } from "@millwright/hcl/function-spec";
import { parseDuration } from "@millwright/text/duration";
import { addDuration, formatRfc3339 } from "@millwright/text/time";
import { numberType, stringType } from "@millwright/value/types";
import { asString, numberValue, stringValue, unknownValue } from "@millwright/value/value";
import { notNull, refuse, text } from "./define.ts";
import { formatDate } from "./format-date.ts";
import type { Environment } from "./environment.ts";
import { lenientTimestampArgument, timestampArgument } from "./timestamps.ts";

const formatdate: FunctionSpec = {
  name: "formatdate",
  description: "A timestamp (RFC 3339) written in another way, by a format such as `DD MMM YYYY hh:mm ZZZ`.",
  parameters: [text("format"), text("time")],
  returnType: stringType,
  refineResult: notNull,
  call: ([format, time]) => stringValue(formatDate(asString(format!), timestampArgument(asString(time!), 1))),
};

const timeadd: FunctionSpec = {
  name: "timeadd",
  description: "A timestamp (RFC 3339) that is later by a duration such as `1h30m`, or earlier by `-10s`.",
  parameters: [text("timestamp"), text("duration")],
  returnType: stringType,
  call: ([timestamp, duration]) => {
    const from = timestampArgument(asString(timestamp!));
    const parsed = parseDuration(asString(duration!));
    if (!parsed.ok) refuse(parsed.error);
    return stringValue(formatRfc3339(addDuration(from, parsed.duration)));
  },
};

const timecmp: FunctionSpec = {
  name: "timecmp",
  description: "Whether a timestamp is before (-1), at (0) or after (1) another one.",
  parameters: [text("timestamp_a"), text("timestamp_b")],
  returnType: numberType,
  refineResult: notNull,
  call: (args) => {
    const [a, b] = args.map((arg, argument) => lenientTimestampArgument(asString(arg), argument).nanoseconds);
    return numberValue(a! === b! ? 0 : a! < b! ? -1 : 1);
  },
};

/** The time functions; what they take for now comes from the environment. */
export function dateTimeFunctions(environment: Environment): readonly FunctionSpec[] {
  const { clock, planTimestamp, impure } = environment;
  const timestamp: FunctionSpec = {
    name: "timestamp",
    description: "The time of the apply, in UTC (RFC 3339); unknown while planning.",
    parameters: [],
    returnType: stringType,
    refineResult: notNull,
    call: () => (impure === "later" ? unknownValue(stringType) : stringValue(utc(clock.now()))),
  };
  const plantimestamp: FunctionSpec = {
    name: "plantimestamp",
    description: "The time of the plan, in UTC (RFC 3339).",
    parameters: [],
    returnType: stringType,
    call: () => (planTimestamp === undefined ? unknownValue(stringType) : stringValue(utc(planTimestamp))),
  };
  return [formatdate, timeadd, timecmp, timestamp, plantimestamp];
}

function utc(milliseconds: number): string {
  return formatRfc3339({ nanoseconds: BigInt(Math.trunc(milliseconds)) * 1_000_000n, offset: 0 });
}

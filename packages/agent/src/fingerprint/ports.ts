import { OperationalError } from "@millwright/core/errors";
import { agentErrors } from "../errors.ts";

/** Reads `22,80,8500-8600`: ports in ascending order, each once. Throws `badConfiguration`. */
export function parsePorts(text: string): readonly number[] {
  const ports = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [, from, to = from] = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(part) ?? [];
      const [first, last] = [Number(from), Number(to)];
      if (!(first >= 1 && last <= 65_535 && first <= last)) throw notPorts(part);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
  return [...new Set(ports)].toSorted((a, b) => a - b);
}

function notPorts(part: string): OperationalError {
  return new OperationalError(
    agentErrors.badConfiguration,
    `The reserved ports cannot be ${JSON.stringify(part)}. Write numbers and ranges with commas between: 22,80,8500-8600.`,
  );
}

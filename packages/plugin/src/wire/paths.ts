import type { Path, PathStep } from "@millwright/value/path";
import { numberValue, stringValue } from "@millwright/value/value";
import type { AttributePathMessage } from "./common.ts";
import type { Draft } from "./message.ts";

/** Steps without a selector, which some programs send for an element of a set, end the path. */
export function fromPathMessage(path: AttributePathMessage): Path {
  const steps: PathStep[] = [];
  for (const { attributeName, elementKeyString, elementKeyInt } of path.steps) {
    if (attributeName !== undefined) steps.push({ attribute: attributeName });
    else if (elementKeyString !== undefined) steps.push({ index: stringValue(elementKeyString) });
    else if (elementKeyInt !== undefined) steps.push({ index: numberValue(elementKeyInt) });
    else break;
  }
  return steps;
}

/** An element of a set cannot be named on the wire: the path leads to the set then. */
export function toPathMessage(path: Path): Draft<AttributePathMessage> {
  const steps: Draft<AttributePathMessage["steps"][number]>[] = [];
  for (const step of path) {
    if ("attribute" in step) {
      steps.push({ attributeName: step.attribute });
      continue;
    }
    const { type, data } = step.index;
    if (type.kind === "string" && typeof data === "string") steps.push({ elementKeyString: data });
    else if (type.kind === "number" && data !== null && typeof data === "object" && "toNumber" in data)
      steps.push({ elementKeyInt: data.toNumber() });
    else break;
  }
  return { steps };
}

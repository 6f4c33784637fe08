import { type Comparison, keyRange } from "@millwright/store/contract";

/** Whether a store key is as its revision `modified` left it; 0 where it must not exist. */
export function isAt(storeKey: string, modified: number): Comparison {
  return { range: keyRange(storeKey), is: "modified", op: "=", revision: modified };
}

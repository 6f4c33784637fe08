import { assertNever } from "@millwright/core/errors";
import type { BigNumber } from "./float.ts";

/**
 * What a Go program would hand to `fmt`. `type` is the Go type name that `%T` and complaints show; each kind has a default.
 * `bigInteger` and `bigFloat` are Go's `*big.Int` and `*big.Float`, which format themselves by slightly other rules.
 */
export type PrintfValue =
  | { readonly kind: "nil" }
  | { readonly kind: "bool"; readonly value: boolean; readonly type?: string }
  | { readonly kind: "integer"; readonly value: bigint; readonly type?: string }
  | { readonly kind: "float"; readonly value: number; readonly type?: string }
  | { readonly kind: "bigInteger"; readonly value: bigint }
  | { readonly kind: "bigFloat"; readonly value: BigNumber }
  | { readonly kind: "string"; readonly value: string; readonly type?: string }
  | { readonly kind: "list"; readonly elements: readonly PrintfValue[]; readonly type?: string }
  | { readonly kind: "map"; readonly entries: readonly (readonly [string, PrintfValue])[]; readonly type?: string }
  | {
      readonly kind: "struct";
      /** In the order of their declaration. */
      readonly fields: readonly (readonly [string, PrintfValue])[];
      readonly type: string;
      /** Whether it is a pointer to the struct; the type's name has its `*` then. */
      readonly isPointer?: boolean;
    };

/** The Go type of a value, as `%T` shows it. */
export function typeName(value: PrintfValue): string {
  switch (value.kind) {
    case "nil":
      return "<nil>";
    case "bool":
      return value.type ?? "bool";
    case "integer":
      return value.type ?? "int";
    case "float":
      return value.type ?? "float64";
    case "bigInteger":
      return "*big.Int";
    case "bigFloat":
      return "*big.Float";
    case "string":
      return value.type ?? "string";
    case "list":
      return value.type ?? "[]interface {}";
    case "map":
      return value.type ?? "map[string]interface {}";
    case "struct":
      return value.type;
    default:
      return assertNever(value);
  }
}

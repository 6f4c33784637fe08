import { quote } from "@millwright/text/quote";
import { answer, defineFunction, failure } from "../function.ts";
import { compareText } from "../operand.ts";
import type { CallResult, TemplateValue } from "../value.ts";
import { Struct } from "../value.ts";
import { text } from "./arguments.ts";

/** A place for values that a template keeps while it is executed, beyond what variables can do. */
export function newScratch(): Struct {
  const values = new Map<string, TemplateValue>();
  const maps = new Map<string, Map<string, TemplateValue>>();
  const set = (key: string, value: TemplateValue) => {
    maps.delete(key);
    values.set(key, value);
  };
  const mapSet = (key: string, inner: string, value: TemplateValue, overwrites: boolean): CallResult => {
    if (values.has(key) && !maps.has(key)) return failure(`${quote(key)} is not a map`);
    const map = maps.get(key) ?? new Map<string, TemplateValue>();
    maps.set(key, map);
    values.set(key, map);
    if (overwrites || !map.has(inner)) map.set(inner, value);
    return answer("");
  };
  return new Struct(
    "*template.Scratch",
    {},
    {
      Key: defineFunction({ parameters: ["string"], call: ([key]) => answer(values.has(text(key))) }),
      Get: defineFunction({ parameters: ["string"], call: ([key]) => answer(values.get(text(key)) ?? null) }),
      Set: defineFunction({
        parameters: ["string", "any"],
        call: ([key, value]) => {
          set(text(key), value!);
          return answer("");
        },
      }),
      SetX: defineFunction({
        parameters: ["string", "any"],
        call: ([key, value]) => {
          if (!values.has(text(key))) set(text(key), value!);
          return answer("");
        },
      }),
      MapSet: defineFunction({
        parameters: ["string", "string", "any"],
        call: ([key, inner, value]) => mapSet(text(key), text(inner), value!, true),
      }),
      MapSetX: defineFunction({
        parameters: ["string", "string", "any"],
        call: ([key, inner, value]) => mapSet(text(key), text(inner), value!, false),
      }),
      MapValues: defineFunction({
        parameters: ["string"],
        call: ([key]) => {
          const entries = [...(maps.get(text(key)) ?? [])].sort(([a], [b]) => compareText(a, b));
          return answer(entries.map(([, value]) => value));
        },
      }),
    },
  );
}

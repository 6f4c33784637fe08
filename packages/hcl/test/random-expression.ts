import fc from "fast-check";

/** Text of random expressions over some variables: nested up to a few levels, most of them evaluable, many with errors. */
export function randomExpression(variables: readonly string[]): fc.Arbitrary<string> {
  const leaf = fc.constantFrom(
    ...variables,
    ...variables,
    "1",
    "2.5",
    "-1",
    '"a"',
    '"1"',
    "true",
    "false",
    "null",
    "[]",
    "{}",
  );
  const name = fc.constantFrom("a", "b", "name");
  const { expression } = fc.letrec<{ expression: string }>((tie) => {
    const part = tie("expression").map((text) => (/^\w+$/.test(text) ? text : `(${text})`));
    const operator = fc.constantFrom("+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "&&", "||");
    const round = fc.constantFrom("k", "v", '"${k}${v}"', "[k, v]");
    return {
      expression: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaf,
        fc.tuple(part, operator, part).map(([left, symbol, right]) => `${left} ${symbol} ${right}`),
        // Small ones, of which most have no errors.
        fc.tuple(leaf, fc.constantFrom("[*]", ".*")).map(([value, splat]) => value + splat),
        fc.tuple(leaf, leaf).map(([test, value]) => `[for k, v in [${test}, ${value}] : v if v != ${test}]`),
        fc.tuple(leaf, leaf).map(([first, second]) => `"${first === '"a"' ? "a" : "b"}-\${${second}}"`),
        fc.tuple(leaf, leaf, leaf).map(([condition, a, b]) => `${condition} ? ${a} : ${b}`),
        fc.tuple(leaf, operator, leaf).map(([left, symbol, right]) => `${left} ${symbol} ${right}`),
        fc.tuple(fc.constantFrom("-", "!"), part).map(([symbol, operand]) => symbol + operand),
        fc.tuple(part, part, part).map(([condition, a, b]) => `${condition} ? ${a} : ${b}`),
        fc.array(tie("expression"), { maxLength: 3 }).map((elements) => `[${elements.join(", ")}]`),
        fc
          .array(
            fc.tuple(
              fc.oneof(
                name,
                part.map((key) => `(${key})`),
              ),
              tie("expression"),
            ),
            { maxLength: 3 },
          )
          .map((items) => `{${items.map(([key, value]) => `${key} = ${value}`).join(", ")}}`),
        fc
          .array(tie("expression"), { minLength: 1, maxLength: 3 })
          .map((parts) => `"x-${parts.map((text) => `\${${text}}`).join("-")}"`),
        fc.tuple(part, tie("expression")).map(([collection, key]) => `${collection}[${key}]`),
        fc.tuple(part, name).map(([value, attribute]) => `${value}.${attribute}`),
        fc.tuple(part, fc.constantFrom("[*]", ".*", "[*].name", "[*][0]")).map(([value, splat]) => value + splat),
        fc
          .tuple(part, round, part)
          .map(([collection, value, test]) => `[for k, v in ${collection} : ${value} if ${test} != v]`),
        fc.tuple(part, round).map(([collection, key]) => `{for k, v in ${collection} : ${key} => v...}`),
        fc
          .tuple(fc.constantFrom("upper", "tostring", "tolist", "toset"), tie("expression"))
          .map(([f, arg]) => `${f}(${arg})`),
        fc.tuple(part, tie("expression")).map(([test, text]) => `"%{ if ${test} }a%{ else }\${${text}}%{ endif }"`),
      ),
    };
  });
  return expression;
}

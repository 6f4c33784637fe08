/** The texts of JSON objects that follow each other in a stream, with or without anything between them. */
export async function* jsonValues(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  let scanned = 0;
  let state: Scan = { depth: 0, inText: false, escaped: false };
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    for (; scanned < text.length; scanned++) {
      state = step(state, text[scanned]!);
      if (state.depth > 0 || text[scanned] !== "}") continue;
      yield text.slice(0, scanned + 1).trimStart();
      text = text.slice(scanned + 1);
      scanned = -1;
    }
  }
  if (text.trim() !== "") yield text.trim();
}

interface Scan {
  readonly depth: number;
  readonly inText: boolean;
  readonly escaped: boolean;
}

function step(state: Scan, character: string): Scan {
  const { depth, inText, escaped } = state;
  if (inText && !escaped && character !== '"' && character !== "\\") return state;
  if (inText) return { depth, inText: escaped || character !== '"', escaped: !escaped && character === "\\" };
  switch (character) {
    case '"':
      return { ...state, inText: true };
    case "{":
    case "[":
      return { ...state, depth: depth + 1 };
    case "}":
    case "]":
      return { ...state, depth: depth - 1 };
    default:
      return state;
  }
}

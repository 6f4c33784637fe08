import type { View } from "../io.ts";

/** Text in the colours that people know from Terraform; without colour it is the text itself. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  underline(text: string): string;
}

const plain: Style = {
  bold: (text) => text,
  dim: (text) => text,
  red: (text) => text,
  green: (text) => text,
  yellow: (text) => text,
  cyan: (text) => text,
  underline: (text) => text,
};

const wrapIn = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`;

const coloured: Style = {
  bold: wrapIn(1, 22),
  dim: wrapIn(90, 39),
  red: wrapIn(31, 39),
  green: wrapIn(32, 39),
  yellow: wrapIn(33, 39),
  cyan: wrapIn(36, 39),
  underline: wrapIn(4, 24),
};

export function styleOf(view: View): Style {
  return view.colour ? coloured : plain;
}

/** Breaks text into lines of at most `width` columns, at spaces; lines that begin with a space are left as they are. */
export function wrapText(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    if (paragraph.length <= width || paragraph.startsWith(" ") || paragraph.startsWith("\t")) return [paragraph];
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else line = line === "" ? word : `${line} ${word}`;
    }
    return [...lines, line];
  });
}

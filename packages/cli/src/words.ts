/** Whether a word in the place of a command asks for help. */
export function isHelp(word: string): boolean {
  return word === "-h" || word === "-help" || word === "--help";
}

/** Whether a word in the place of a command asks which version this is. */
export function isVersion(word: string): boolean {
  return word === "version" || word === "-version" || word === "--version" || word === "-v";
}

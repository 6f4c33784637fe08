/** What a server warns of, as it is said on standard error. */
export function warningsText(warnings: readonly string[]): string {
  const listed = warnings.map((warning) => `  * ${warning}\n`).join("");
  return `WARNING! The following warnings were returned from Vault:\n\n${listed}\n`;
}

/** A text as a whole sentence, for more to follow: with a full stop where it does not end otherwise already. */
export function asSentence(text: string): string {
  const words = text.trimEnd();
  return /[.!?:]$/.test(words) ? words : `${words}.`;
}

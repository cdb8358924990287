// Text without what moves the cursor, colours or turns around: what a tested service answers must
// not write to the terminal of whoever tests it.

/** Each of those characters as a question mark, line breaks included. */
export function toPrintable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?')
}

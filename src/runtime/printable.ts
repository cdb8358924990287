// What others chose to be called, in a form that a terminal may be given.

/**
 * Text without control sequences (cursor, colours, direction): names and user agents are chosen by
 * others, who must not control an operator's terminal.
 */
export function toPrintable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?')
}

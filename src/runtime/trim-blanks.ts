// White space of headers (RFC 9110 §5.6.3): blanks and tabs, and nothing else. trim() would also cut off
// U+00A0, which as a byte of a header is part of what somebody sent.

/** Without the blanks and tabs around it. */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

// A URL that somebody else gives us to call, as far as its spelling goes. Which scheme and which address
// it may have says whoever calls it.

const URL_LENGTH_MAX = 2048
const PRINTABLE = /^[^\s\p{Cc}\p{Cs}]*$/u

/** Why the text is no URL to call, or undefined. Never repeats it, because it may hold a secret. */
export function findUrlFault(text: string): string | undefined {
  if (text.length > URL_LENGTH_MAX) return `must have at most ${URL_LENGTH_MAX} characters`
  // A URL parser would remove or escape them, but the URL is stored as it was given.
  if (!PRINTABLE.test(text)) return 'must not hold blanks or control characters'
  if (!URL.canParse(text)) return 'must be an absolute URL'
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return 'must not hold credentials'
  if (url.hash !== '') return 'must not have a fragment'
  return undefined
}

/** Without the brackets of an IPv6 address. The URL parser has written numbers out as addresses. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

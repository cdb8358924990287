// What a proof is for (RFC 9449 §4.3): a method and a URL, whose query and fragment do not count.

export interface ProofTarget {
  readonly method: string
  /** Absolute, as its senders know it: that of the proxy where there is one. Two where it has two names. */
  readonly urls: readonly string[]
}

/** Whether `htu` names the URL, after the normalisations of RFC 3986 §6.2.2 and §6.2.3. */
export function isUrlOf(htu: string, url: string): boolean {
  if (htu === url) return true
  const named = normalizeUrl(htu)
  return named !== undefined && named === normalizeUrl(url)
}

/** Without query and fragment; undefined for what is no http URL, or one that others read otherwise. */
function normalizeUrl(text: string): string | undefined {
  // A URL parser drops blanks and turns backslashes over, which no URI has.
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes('\\') || !URL.canParse(text)) return undefined
  const { protocol, host, username, password, pathname } = new URL(text)
  if (protocol !== 'https:' && protocol !== 'http:') return undefined
  const hasHost = text.startsWith('//', protocol.length) && text[protocol.length + 2] !== '/'
  if (!hasHost || username !== '' || password !== '') return undefined
  return `${protocol}//${host}${pathname.replace(/%[0-9a-f]{2}/gi, normalizeTriplet)}`
}

/** RFC 3986 §6.2.2.1 and §6.2.2.2 */
function normalizeTriplet(triplet: string): string {
  const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16))
  return /[\w.~-]/.test(character) ? character : triplet.toUpperCase()
}

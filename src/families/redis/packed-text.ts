// The texts of a family, shorter: most user agents are put together from the same few phrases, so a
// control character, which none of these texts has, stands for each. A browser's 110 characters
// become about ten. What is packed is compared packed, because one text has one packed form.

/**
 * The place of a phrase is its character, for as long as any family lives: never move or change
 * one, and add others only at the end. A phrase is looked for before those that stand below it.
 */
const PHRASES = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10',
  'Mozilla/5.0 (X11; Linux x86_64',
  'Mozilla/5.0 (X11; Ubuntu; Linux x86_64',
  'Mozilla/5.0 (iPhone; CPU iPhone OS ',
  'Mozilla/5.0 (iPad; CPU OS ',
  'Mozilla/5.0 (Linux; Android ',
  'Mozilla/5.0 (',
  ' like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ',
  ') AppleWebKit/605.1.15 (KHTML, like Gecko) Version/',
  ') AppleWebKit/537.36 (KHTML, like Gecko) Chrome/',
  ') AppleWebKit/537.36 (KHTML, like Gecko) ',
  ' Mobile/15E148 Safari/604.1',
  ' Mobile/15E148',
  ' Mobile Safari/537.36',
  ' Safari/537.36',
  ' Safari/605.1.15',
  '; rv:',
  ') Gecko/20100101 Firefox/',
  '.0.0.0',
  ' Edg/',
  ' OPR/',
  'Version/',
  'SamsungBrowser/',
  'https://',
  'offline_access',
  'openid',
  'profile',
  'email',
].map((phrase, index) => [phrase, String.fromCharCode(index + 1)] as const)

/** Before a text that is kept as it is, because it holds control characters itself. */
const AS_IT_IS = '\0'
const REMEMBERED_MAX = 2_000

/** The packed form of a text, whatever it holds. */
export const packText = remember(pack)

/** The text of which this is the packed form. */
export const unpackText = remember(unpack)

/** Words that hold no white space, each packed, with blanks between them. */
export const packWords = (words: readonly string[]): string => words.map(packText).join(' ')

/** The words of `packWords`. */
export const unpackWords = remember((packed): readonly string[] =>
  packed === '' ? [] : packed.split(' ').map(unpackText),
)

function pack(text: string): string {
  let packed = text
  for (const [phrase, character] of PHRASES) packed = packed.replaceAll(phrase, character)
  return unpack(packed) === text ? packed : AS_IT_IS + text
}

function unpack(packed: string): string {
  if (packed.startsWith(AS_IT_IS)) return packed.slice(AS_IT_IS.length)
  let text = packed
  for (const [phrase, character] of PHRASES) text = text.replaceAll(character, phrase)
  return text
}

/** Of the texts that come again and again, which most do, each is worked out once. */
function remember<T>(workOut: (text: string) => T): (text: string) => T {
  const remembered = new Map<string, T>()
  return (text) => {
    const found = remembered.get(text)
    if (found !== undefined) return found
    const value = workOut(text)
    if (remembered.size >= REMEMBERED_MAX) remembered.clear()
    remembered.set(text, value)
    return value
  }
}

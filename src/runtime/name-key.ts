// The key by which names of people are compared: NFKC(fold(NFKC(name))) by Unicode's full case
// folding, which maps every spelling of a letter to one (Unicode Standard, section 3.13).

// Cherokee folds to its capitals, which Unicode had first; the dotless i folds to itself.
const FOLDS_OTHERWISE = /[\p{Script=Cherokee}\u0131]+/u
const FOLDED_PIECES = /[\p{Script=Cherokee}\u0131]+|[^\p{Script=Cherokee}\u0131]+/gu

/** The key of any text. The caller bounds its length. */
export function nameKey(text: string): string {
  return foldCase(text.normalize('NFKC')).normalize('NFKC')
}

/** Full case folding, which JavaScript has no function for. */
export function foldCase(text: string): string {
  return text.replaceAll(FOLDED_PIECES, (piece) =>
    FOLDS_OTHERWISE.test(piece) ? piece.replaceAll(/[^\u0131]+/gu, toUpper) : foldUsual(piece),
  )
}

function toUpper(text: string): string {
  return text.toUpperCase()
}

/**
 * To upper case and back makes ß and ss one, which lower case alone does not. Lower case comes
 * before that, because the capital ẞ is otherwise left alone. The final sigma ς becomes σ.
 */
function foldUsual(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')
}

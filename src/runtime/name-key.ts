// The key by which names of people are compared: NFKC(fold(NFKC(name))) by Unicode's full case
// folding, which maps every spelling of a letter to one (Unicode Standard, section 3.13).

// Cherokee folds upwards, because its capitals came first; the dotless i is a letter of its own.
const FOLDS_OTHERWISE = /[\p{Script=Cherokee}\u0131]+/u
const FOLDED_PIECES = /[\p{Script=Cherokee}\u0131]+|[^\p{Script=Cherokee}\u0131]+/gu

/** Of any text; the caller bounds its length. */
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
 * Up and down again joins what only one direction joins (ß and ss); down before that, because the
 * capital ẞ has no other way up. A sigma at the end of a word is a sigma.
 */
function foldUsual(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')
}

// What is fuzzed: a parser of outside input, and all that has to hold whatever it is given. The same check is
// run on random inputs, on the corpus and on what the search for branches comes up with.

export interface FuzzTarget {
  /** The word of `npm run fuzz -- --parser`, and the name of its files of inputs. */
  readonly name: string
  /** The exported functions that it goes through, as `src/…/file.ts name`. */
  readonly covers: readonly string[]
  /** Sources whose branches lead the search as well: what the parsers are made of. */
  readonly within?: readonly string[]
  /** How texts become inputs: UTF-8, or as in headers a byte for each character. */
  readonly encoding?: 'latin1'
  /** Good inputs and nearly good ones, from which others are made. */
  readonly seeds: readonly (string | Buffer)[]
  /** Pieces of the language that chance would take long to find. */
  readonly tokens: readonly string[]
  /** Longer inputs are cut. */
  readonly lengthMax?: number
  /**
   * Throws where something does not hold: a `Violation`, or whatever the parser must not throw. Returns
   * whether the input was taken.
   */
  readonly check: (input: Buffer) => boolean
}

/** A text of the target as an input. */
export function toInput({ encoding }: FuzzTarget, text: string | Buffer): Buffer {
  return typeof text === 'string' ? Buffer.from(text, encoding ?? 'utf8') : text
}

/** Something that has to hold of a parser does not. */
export class Violation extends Error {
  override name = 'Violation'
}

/** Throws Violation unless `isTrue`. */
export function holds(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Violation(what)
}

/** Throws Violation unless both are the same JSON, which tells undefined from nothing at all as well. */
export function isSame(found: unknown, wanted: unknown, what: string): void {
  const [one, other] = [found, wanted].map((value) => JSON.stringify(value, sayUndefined))
  if (one !== other) throw new Violation(`${what}: ${one} is not ${other}`)
}

function sayUndefined(_name: string, value: unknown): unknown {
  return value === undefined ? '\u0000undefined' : value
}

/** What `parse` gives, or undefined where it throws its own kind of error; any other goes on. */
export function unlessRefused<T>(
  parse: () => T,
  isOwn: (error: unknown) => boolean,
): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (isOwn(error)) return undefined
    throw error
  }
}

/**
 * The input as a text of JavaScript, in which half of a surrogate pair can stand alone, as it can in JSON:
 * of the private characters from U+E000 on, each stands for one.
 */
export function textOf(input: Buffer): string {
  return input
    .toString()
    .replaceAll(/[\ue000-\ue7ff]/g, (character) =>
      String.fromCharCode(character.charCodeAt(0) - 0x800),
    )
}

/** The input as Node gives the value of a header: bytes, without those that no header has. */
export function headerOf(input: Buffer): string {
  const text = input.toString('latin1').replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '')
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

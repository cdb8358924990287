// A setting is taken, or refused by a sentence that repeats nothing of it, because it may be a secret in the
// wrong place.

import { BadValue } from '../../src/config/config-values.ts'
import { Violation } from './fuzz-target.ts'

/** What `parse` gives, or undefined where it refuses in words that repeat nothing. */
export function readSetting<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof BadValue)) throw error
    // What is refused as too short may be taken when it is longer.
    const again = refusalOf(parse, `${text}\u2603`) ?? refusalOf(parse, `\u2603${text}`)
    // A part of the sentence that is there whatever the value was is no repetition.
    const isRepeated = error.message.includes(text) && !again?.includes(text)
    if (text.length > 12 && isRepeated) throw new Violation('a refusal repeats the value')
    if (again?.includes('\u2603')) throw new Violation('a refusal repeats a part of the value')
    return undefined
  }
}

function refusalOf(parse: (text: string) => unknown, text: string): string | undefined {
  try {
    parse(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

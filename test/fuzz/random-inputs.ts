// Random inputs of a target: bytes of any kind, pieces of its language in any order, good inputs with a piece
// put in or taken out.

import fc from 'fast-check'
import { type FuzzTarget, toInput } from './fuzz-target.ts'

const CUT_MAX = 12

export function inputsOf(target: FuzzTarget): fc.Arbitrary<Buffer> {
  const { lengthMax = 2_048 } = target
  const ofTarget = (text: string | Buffer) => toInput(target, text)
  const seed = fc.constantFrom(...target.seeds.map(ofTarget))
  const text = fc.string({ unit: 'binary', maxLength: 6 }).map(ofTarget)
  const piece = fc.oneof(fc.constantFrom(...target.tokens.map(ofTarget)), text)
  const bytes = fc.uint8Array({ maxLength: 64 }).map((some) => Buffer.from(some))
  const changed = fc
    .tuple(seed, fc.nat(), fc.nat({ max: CUT_MAX }), fc.oneof(piece, fc.constant(Buffer.alloc(0))))
    .map(([input, place, cut, put]) => {
      const at = place % (input.length + 1)
      return Buffer.concat([input.subarray(0, at), put, input.subarray(at + cut)])
    })
  const pieces = fc
    .array(fc.oneof(piece, piece, seed), { maxLength: 12 })
    .map((all) => Buffer.concat(all))
  return fc
    .oneof({ weight: 5, arbitrary: changed }, { weight: 3, arbitrary: pieces }, bytes)
    .map((input) => input.subarray(0, lengthMax))
}

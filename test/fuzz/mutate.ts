// Other inputs made of one: a bit, a byte, a piece of the language, a part of another input, some of it again
// and again. Several at a time, so that what needs two changes at once can be found.

import type { Random } from './random.ts'

/** Bytes at the edges of what parsers tell apart. */
const BYTES = Buffer.from(
  '\0\t\n\r "#%&\'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xa0\xad\xff',
  'latin1',
)
const CHANGES_MAX = 6
const REPEATS = [2, 3, 17, 65, 257] as const

export interface Material {
  /** Pieces of the language. */
  readonly tokens: readonly Buffer[]
  /** Other inputs. */
  readonly others: readonly Buffer[]
  readonly lengthMax: number
}

type Change = (input: Buffer, random: Random, material: Material) => Buffer

const CHANGES: readonly [Change, ...Change[]] = [
  flipBit,
  setByte,
  insertByte,
  remove,
  insertToken,
  insertToken,
  replaceByToken,
  repeat,
  splice,
  move,
  changeNumber,
]

/** Another input, never longer than `lengthMax`. */
export function mutate(input: Buffer, random: Random, material: Material): Buffer {
  let made = input
  const changes = 1 + random.below(CHANGES_MAX)
  for (let count = 0; count < changes; count += 1) {
    made = random.pick(CHANGES)(made, random, material).subarray(0, material.lengthMax)
  }
  return made
}

function flipBit(input: Buffer, random: Random): Buffer {
  const at = random.below(input.length)
  return patched(input, at, at + 1, Buffer.from([(input[at] ?? 0) ^ (1 << random.below(8))]))
}

function setByte(input: Buffer, random: Random): Buffer {
  const at = random.below(input.length)
  return patched(input, at, at + 1, oneByte(random))
}

function insertByte(input: Buffer, random: Random): Buffer {
  const at = random.below(input.length + 1)
  return patched(input, at, at, oneByte(random))
}

function remove(input: Buffer, random: Random): Buffer {
  const [from, to] = range(input, random)
  return patched(input, from, to, Buffer.alloc(0))
}

function insertToken(input: Buffer, random: Random, { tokens }: Material): Buffer {
  const at = random.pick([0, input.length, random.below(input.length + 1)])
  return patched(input, at, at, random.pick(tokens) ?? oneByte(random))
}

function replaceByToken(input: Buffer, random: Random, { tokens }: Material): Buffer {
  const [from, to] = range(input, random)
  return patched(input, from, to, random.pick(tokens) ?? oneByte(random))
}

function repeat(input: Buffer, random: Random, { lengthMax }: Material): Buffer {
  const [from, to] = range(input, random)
  const part = input.subarray(from, to)
  const times = Math.min(random.pick(REPEATS), Math.ceil(lengthMax / (part.length || 1)))
  return patched(input, to, to, Buffer.concat(Array.from({ length: times }, () => part)))
}

function splice(input: Buffer, random: Random, { others }: Material): Buffer {
  const other = random.pick(others) ?? input
  const [from, to] = range(other, random)
  const at = random.below(input.length + 1)
  return patched(input, at, random.pick([at, input.length]), other.subarray(from, to))
}

function move(input: Buffer, random: Random): Buffer {
  const [from, to] = range(input, random)
  const part = Buffer.from(input.subarray(from, to))
  const rest = patched(input, from, to, Buffer.alloc(0))
  const at = random.below(rest.length + 1)
  return patched(rest, at, at, part)
}

/** Of the first digits behind a random place. */
function changeNumber(input: Buffer, random: Random): Buffer {
  const text = input.toString('latin1')
  const found = /\d{1,16}/.exec(text.slice(random.below(text.length)))?.[0]
  if (found === undefined) return insertByte(input, random)
  const value = Number(found)
  const other = random.pick([value + 1, Math.max(0, value - 1), value * 2, 0, 255, 65_536, 2 ** 32])
  return Buffer.from(text.replace(found, String(other)), 'latin1')
}

function oneByte(random: Random): Buffer {
  const byte = random.below(4) === 0 ? random.below(256) : (BYTES[random.below(BYTES.length)] ?? 0)
  return Buffer.from([byte])
}

/** Most are short. */
function range(input: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(input.length + 1)
  const longest = random.below(4) === 0 ? input.length : 12
  return [from, Math.min(input.length, from + random.below(longest + 1))]
}

function patched(input: Buffer, from: number, to: number, part: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, from), part, input.subarray(to)])
}

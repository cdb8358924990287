// The list of passwords that people choose most, searched in the bytes of its file: what is not
// asked for is never made a string, so the list costs the size of its file and no time to read in.

import { readFileSync } from 'node:fs'

const FILE = new URL('./common-passwords.txt', import.meta.url)
const LINE_END = 0x0a

/** The passwords alone, one a line in order of their bytes, from the first question on. */
let list: Buffer | undefined

/** Whether the list has the password. `folded` is its name key, the form in which the list is. */
export function isCommonPassword(folded: string): boolean {
  list ??= readList()
  return hasLine(list, Buffer.from(folded))
}

/** Above the passwords are the licence and an empty line. */
function readList(): Buffer {
  const file = readFileSync(FILE)
  return file.subarray(file.indexOf('\n\n') + 2)
}

/** By halves: `low` and `high` are always where lines begin. */
function hasLine(lines: Buffer, line: Buffer): boolean {
  let [low, high] = [0, lines.length]
  while (low < high) {
    const start = lines.lastIndexOf(LINE_END, Math.max(low, ((low + high) >>> 1) - 1)) + 1
    const end = lines.indexOf(LINE_END, start)
    const order = line.compare(lines, start, end)
    if (order === 0) return true
    if (order < 0) high = start
    else low = end + 1
  }
  return false
}

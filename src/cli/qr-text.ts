// A QR code as lines of a terminal: two modules in each character, in colours of their own, because half
// of all terminals are dark and a code must not be inverted.

import { encodeQR } from 'qr'

/** Black on white, whatever the terminal's own colours. */
const COLOURS = '\u001b[38;5;16;48;5;231m'
const RESET = '\u001b[0m'
/** By whether the upper and the lower module are dark. */
const BLOCKS = [
  [' ', '▄'],
  ['▀', '█'],
] as const
/** ISO/IEC 18004 wants four; telephones need no more than two. */
const BORDER = 2

/** The lines, each with the colours set and reset. */
export function drawQr(text: string): string {
  const modules = encodeQR(text, 'raw', { ecc: 'low', border: BORDER })
  const lines: string[] = []
  for (let row = 0; row < modules.length; row += 2) {
    const upper = modules[row] ?? []
    const lower = modules[row + 1] ?? []
    const blocks = upper.map((isDark, column) => BLOCKS[isDark ? 1 : 0][lower[column] ? 1 : 0])
    lines.push(`${COLOURS}${blocks.join('')}${RESET}`)
  }
  return lines.join('\n')
}

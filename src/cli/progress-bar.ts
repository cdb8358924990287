// One line on a terminal that says how far a long command is; nothing where nobody watches.

import type { CommandContext } from './command-context.ts'

export interface ProgressBar {
  /** Draws at most ten times a second. `share` is from 0 to 1; undefined where the end is not known. */
  draw(share: number | undefined, text: string): void
  /** Takes the line away, for what is to be printed in its place. */
  clear(): void
}

const WIDTH = 24
const PAUSE_MS = 100
const CLEAR_LINE = '\r\u001b[K'

export function openProgressBar({ stderr }: Pick<CommandContext, 'stderr'>): ProgressBar {
  let drawnAtMs = Number.NEGATIVE_INFINITY
  let isDrawn = false
  return {
    draw(share, text) {
      const nowMs = performance.now()
      if (!stderr.isTTY || nowMs - drawnAtMs < PAUSE_MS) return
      drawnAtMs = nowMs
      isDrawn = true
      stderr.write(`${CLEAR_LINE}${share === undefined ? '' : formatBar(share)}${text}`)
    },
    clear() {
      if (isDrawn) stderr.write(CLEAR_LINE)
      isDrawn = false
    },
  }
}

function formatBar(share: number): string {
  const filled = Math.floor(Math.min(1, Math.max(0, share)) * WIDTH)
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  return `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}]${percent} `
}

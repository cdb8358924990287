// The terminal of `lineage top`: a screen of its own, drawn in place, keys, and a terminal that is as it
// was before, whatever ends the command.

import type { CommandContext } from '../command-context.ts'

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

export interface Screen {
  size(): ScreenSize
  /** Replaces what is shown. Skips what a terminal that has stopped could not take. */
  draw(lines: readonly string[]): void
  /** Called when the terminal has another size. */
  onResize(redraw: () => void): void
  /** Resolves at `q`, Ctrl-C, Ctrl-D, a signal, or when the terminal is gone. */
  readonly ended: Promise<void>
  /** Gives the terminal back; it may be called again. */
  close(): void
}

type Terminal = Pick<CommandContext, 'stdin' | 'stdout'>

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[0m\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'
/** Also Ctrl-C and Ctrl-D, which are keys like others there. */
const END_KEYS: ReadonlySet<string | undefined> = new Set(['q', 'Q', '\u0003', '\u0004'])
const END_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** Where a terminal does not say how large it is. */
const FALLBACK: ScreenSize = { columns: 80, rows: 24 }

export function openScreen({ stdin, stdout }: Terminal): Screen {
  let isOpen = true
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const onKeys = (keys: Buffer | string) => {
    if (END_KEYS.has(String(keys)[0])) end()
  }
  let redraw = () => {}
  const onResize = () => redraw()

  function close(): void {
    if (!isOpen) return
    isOpen = false
    process.off('exit', close)
    for (const signal of END_SIGNALS) process.off(signal, end)
    stdout.off('resize', onResize)
    stdin.off('data', onKeys)
    stdin.setRawMode?.(false)
    stdin.pause()
    stdout.write(LEAVE)
  }

  // An error that nobody caught ends the process through here as well.
  process.on('exit', close)
  for (const signal of END_SIGNALS) process.on(signal, end)
  stdout.on('resize', onResize)
  // Of a terminal that is gone; what is still written to it is lost.
  stdout.on('error', end)
  stdin.on('error', end)
  if (stdin.isTTY) {
    stdin.setRawMode?.(true)
    stdin.on('data', onKeys)
    stdin.on('end', end)
  }
  stdout.write(ENTER)
  const size = () => ({
    columns: stdout.columns || FALLBACK.columns,
    rows: stdout.rows || FALLBACK.rows,
  })
  return {
    size,
    draw(lines) {
      if (!isOpen || stdout.writableNeedDrain) return
      // Cleared before it is written: behind a line that is full, the last letter would go.
      const text = lines.map((line) => CLEAR_LINE + line).join('\r\n')
      const below = lines.length < size().rows ? `\r\n${CLEAR_BELOW}` : ''
      stdout.write(HOME + text + below)
    },
    onResize(handler) {
      redraw = handler
    },
    ended,
    close,
  }
}

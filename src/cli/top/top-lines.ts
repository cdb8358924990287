// Lines of a fixed width for a terminal: labels and items, cut and coloured.

export type Tone = 'plain' | 'label' | 'good' | 'odd' | 'bad'
export type Span = readonly [text: string, tone: Tone]

const COLOURS: Readonly<Record<Tone, string>> = {
  plain: '',
  label: '\u001b[2m',
  good: '\u001b[32m',
  odd: '\u001b[33m',
  bad: '\u001b[31m',
}
const PLAIN = '\u001b[0m'
const LABEL_WIDTH = 13

/** A name and its value. */
export function item(name: string, value: string, tone: Tone = 'plain'): Span[] {
  return [
    [`${plain(name)} `, 'label'],
    [value, tone],
  ]
}

/** A label and its items, on as many lines as they need. */
export function section(label: string, columns: number, items: readonly Span[][]): Span[][] {
  const lines: Span[][] = []
  let line: Span[] = [[shorten(plain(label), LABEL_WIDTH - 1).padEnd(LABEL_WIDTH), 'label']]
  let isEmpty = true
  for (const spans of items.length > 0 ? items : [[['-', 'label'] as const]]) {
    if (!isEmpty && lengthOf(line) + 3 + lengthOf(spans) > columns) {
      lines.push(line)
      line = [[''.padEnd(LABEL_WIDTH), 'plain']]
      isEmpty = true
    }
    if (!isEmpty) line.push(['   ', 'plain'])
    line.push(...spans)
    isEmpty = false
  }
  return [...lines, line]
}

function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((length, [text]) => length + text.length, 0)
}

/** What is beyond the columns is left out. */
export function cut(spans: readonly Span[], columns: number): Span[] {
  let room = Math.max(0, columns)
  return spans.map(([text, tone]) => {
    const part = text.slice(0, room)
    room -= part.length
    return [part, tone]
  })
}

/** The line as it is written; without colours it ends with its last word. */
export function paint(spans: readonly Span[], isColoured: boolean): string {
  const parts = spans.map(([text, tone]) =>
    isColoured && text !== '' && COLOURS[tone] !== '' ? COLOURS[tone] + text + PLAIN : text,
  )
  return isColoured ? parts.join('') : parts.join('').trimEnd()
}

/** In exactly that width. */
export function shorten(text: string, width: number): string {
  const clean = plain(text)
  return clean.length <= width ? clean.padEnd(width) : `${clean.slice(0, width - 1)}~`
}

/** Labels are words of the service; whatever else comes from there must not steer a terminal. */
export function plain(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}

// HTML as values: a template escapes every text that is put into it, and only what came from a
// template goes in as it is.

export interface Html {
  readonly markup: string
}

type Part = Html | string | number | undefined | readonly Part[]

/** Builds markup; texts are escaped for element content and for quoted attributes. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const markup = texts.map((text, index) => text + render(parts[index]))
  return { markup: markup.join('') }
}

function render(part: Part): string {
  if (part === undefined) return ''
  if (typeof part === 'string')
    return part.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
  if (typeof part === 'number') return String(part)
  return 'markup' in part ? part.markup : part.map(render).join('')
}

/** The parts with something between each two. */
export function join(parts: readonly Part[], between: Part): Part {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [between, part]))
}

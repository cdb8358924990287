// The descriptions of the contract as HTML: the little of CommonMark that they use.

import { type Html, html } from './html.ts'

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*/g

/** Paragraphs, as empty lines part them. */
export function prose(text: string | undefined): Html {
  const paragraphs = (text ?? '').split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== '')
  return html`${paragraphs.map((paragraph) => html`<p>${inline(paragraph)}</p>`)}`
}

/** `code`, **strong** and *emphasis* within a paragraph. */
export function inline(text: string): Html {
  const parts: Html[] = []
  let end = 0
  for (const match of text.matchAll(INLINE)) {
    const [all, code, strong, emphasis] = match
    parts.push(html`${text.slice(end, match.index)}`)
    if (code !== undefined) parts.push(html`<code>${code}</code>`)
    else if (strong !== undefined) parts.push(html`<strong>${strong}</strong>`)
    else parts.push(html`<em>${emphasis}</em>`)
    end = match.index + all.length
  }
  return html`${parts}${text.slice(end)}`
}

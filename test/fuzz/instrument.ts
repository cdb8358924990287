// Sources with a count in every branch and every comparison, so that a run of them says what it reached. The
// tree comes from a parser of the language; the text stays as it was but for what is put around its parts.

import { type Node, parse, tokenizer, tokTypes } from 'acorn'
import { transformSync } from 'esbuild'

export interface Instrumented {
  readonly code: string
  /** Of the first place, from which they are numbered on. */
  readonly placesEnd: number
  /** The texts and patterns that stand in the source: pieces of the language that it reads. */
  readonly texts: readonly string[]
  readonly patterns: readonly RegExp[]
}

/** A part of the tree: its children are found by looking. */
type Part = Node & Readonly<Record<string, unknown>>

/** TypeScript in; the places of this file begin at `placesStart`. */
export function instrument(source: string, placesStart: number): Instrumented {
  const { code } = transformSync(source, { loader: 'ts', target: 'esnext', format: 'esm' })
  const tree = parse(code, { ecmaVersion: 'latest', sourceType: 'module' }) as unknown as Part
  let next = placesStart
  const hit = () => `__hit(${next++})`

  /** The text of a part, with its own parts instrumented. */
  function inner(part: Part): string {
    let text = ''
    let at = part.start
    for (const [role, child] of childrenOf(part)) {
      // The second name of a member or an import that has one alone.
      if (child.start < at) continue
      text += code.slice(at, child.start) + render(part, role, child)
      at = child.end
    }
    return text + code.slice(at, part.end)
  }

  function render(parent: Part, role: string, part: Part): string {
    if (part.type === 'BinaryExpression' && isEquality(part)) return renderEquality(part)
    const text = part.type === 'IfStatement' ? renderIf(part) : inner(part)
    if (isBranchValue(parent, role)) return `(${hit()}, ${text})`
    if (isBranchStatement(parent, role)) return `{ ${hit()}; ${text} }`
    if (isBranchList(parent, role)) return `${hit()}; ${text}`
    return text
  }

  function renderIf(part: Part): string {
    const text = inner(part)
    return part.alternate ? text : `${text} else { ${hit()}; }`
  }

  function renderEquality(part: Part): string {
    const { left, right, operator } = part as Part & { left: Part; right: Part }
    const place = next++
    const no = operator === '!==' ? '!' : ''
    return `${no}__same(${place}, (${render(part, 'left', left)}), (${render(part, 'right', right)}))`
  }

  const rendered = inner(tree)
  return { code: rendered, placesEnd: next, ...wordsOf(code) }
}

function isEquality({ operator, left, right }: Part): boolean {
  const isOfTypes = [left, right].some((side) => (side as Part).operator === 'typeof')
  return (operator === '===' || operator === '!==') && !isOfTypes
}

/** An expression that is reached or not. */
function isBranchValue({ type }: Part, role: string): boolean {
  if (type === 'ConditionalExpression') return role !== 'test'
  if (type === 'LogicalExpression') return role === 'right'
  if (type === 'AssignmentPattern') return role === 'right'
  return type === 'ArrowFunctionExpression' && role === 'expression'
}

function isBranchStatement({ type }: Part, role: string): boolean {
  if (type === 'IfStatement') return role !== 'test'
  return /^(For|While|DoWhile)/.test(type) && role === 'body'
}

/** The first statement of a function, a case or a catch. */
function isBranchList({ type }: Part, role: string): boolean {
  if (type === 'SwitchCase') return role === 'consequent 0'
  return (type === 'BlockStatement' || type === 'StaticBlock') && role === 'body 0'
}

/** In the order of the text. The short form of a member stands there once, as its value. */
function childrenOf(part: Part): readonly (readonly [role: string, child: Part])[] {
  const found: [string, Part][] = []
  for (const [name, value] of Object.entries(part)) {
    if (name === 'key' && part.shorthand) continue
    const role = name === 'body' && part.expression === true ? 'expression' : name
    if (isPart(value)) found.push([role, value])
    else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        if (isPart(item)) found.push([`${role} ${index}`, item])
      }
    }
  }
  return found.sort(([, one], [, other]) => one.start - other.start)
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value
}

function wordsOf(code: string): Pick<Instrumented, 'texts' | 'patterns'> {
  const texts: string[] = []
  const patterns: RegExp[] = []
  for (const token of tokenizer(code, { ecmaVersion: 'latest', sourceType: 'module' })) {
    const { value } = token as { value?: unknown }
    if (token.type === tokTypes.string && typeof value === 'string') texts.push(value)
    if (token.type === tokTypes.regexp) {
      const { pattern, flags } = value as { pattern: string; flags: string }
      patterns.push(new RegExp(pattern, flags))
    }
  }
  return { texts, patterns }
}

// Whether bytes are a JSON object that every parser reads alike, found out by other means than the service has:
// the tree of a parser of JavaScript, of which JSON is a part.

import { isUtf8 } from 'node:buffer'
import { type Node, parseExpressionAt } from 'acorn'

/** As deep as the service goes. */
const DEPTH_MAX = 16

export function isUnambiguousJson(bytes: Buffer): boolean {
  const text = bytes.toString()
  if (!isUtf8(bytes)) return false
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    return isPlain(parseExpressionAt(`(${text})`, 0, { ecmaVersion: 'latest' }), 0)
  } catch {
    // A second `__proto__` is no JavaScript, either.
    return false
  }
}

/** No name twice, none of them `__proto__`, not too deep. */
function isPlain(node: Node, depth: number): boolean {
  const { type, elements, properties } = node as Node & {
    elements?: readonly Node[]
    properties?: readonly (Node & { key: Node & { value: string }; value: Node })[]
  }
  if (type === 'ArrayExpression') {
    return depth < DEPTH_MAX && (elements ?? []).every((item) => isPlain(item, depth + 1))
  }
  if (type !== 'ObjectExpression') return true
  const names = (properties ?? []).map(({ key }) => key.value)
  const areGood = new Set(names).size === names.length && !names.includes('__proto__')
  return (
    areGood &&
    depth < DEPTH_MAX &&
    (properties ?? []).every(({ value }) => isPlain(value, depth + 1))
  )
}

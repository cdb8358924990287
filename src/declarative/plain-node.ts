// A node of YAML as a plain value, and the place of every part of it. What could grow without end is bounded
// here: depth, aliases, and all of the nodes together.

import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml'

const DEPTH_MAX = 24
const ALIASES_MAX = 100
const NODES_MAX = 200_000

export interface PlainNode {
  readonly value: unknown
  /** The offset in the text of each part, by its JSON Pointer. */
  readonly offsets: ReadonlyMap<string, number>
}

/** A fault of what is written, at an offset of the text. */
export class NodeFault extends Error {
  override name = 'NodeFault'
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** Throws NodeFault. */
export function toPlain(root: Node, document: Document): PlainNode {
  const offsets = new Map<string, number>()
  let nodes = 0
  let aliases = 0

  function read(node: unknown, pointer: string, depth: number, around: number): unknown {
    const offset = (node as Node | null)?.range?.[0] ?? around
    nodes += 1
    if (depth > DEPTH_MAX) throw new NodeFault(`is deeper than ${DEPTH_MAX} levels`, around)
    if (nodes > NODES_MAX) throw new NodeFault(`has more than ${NODES_MAX} values`, around)
    if (!offsets.has(pointer)) offsets.set(pointer, offset)
    if (node === null || node === undefined) return null
    if (isAlias(node)) {
      aliases += 1
      if (aliases > ALIASES_MAX) throw new NodeFault(`has more than ${ALIASES_MAX} aliases`, offset)
      const target = node.resolve(document)
      if (!target) throw new NodeFault('has an alias of nothing', offset)
      return read(target, pointer, depth + 1, offset)
    }
    if (isSeq(node)) {
      return node.items.map((item, index) => read(item, `${pointer}/${index}`, depth + 1, offset))
    }
    if (isMap(node)) return readMap(node.items, pointer, depth, offset)
    if (isScalar(node) && isPlainScalar(node.value)) return node.value
    throw new NodeFault('is no value that JSON has', offset)
  }

  function readMap(
    items: readonly { readonly key: unknown; readonly value: unknown }[],
    pointer: string,
    depth: number,
    around: number,
  ): unknown {
    const members = new Map<string, unknown>()
    for (const { key, value } of items) {
      const offset = (key as Node).range?.[0] ?? around
      const name = isScalar(key) && typeof key.value === 'string' ? key.value : undefined
      if (name === undefined) throw new NodeFault('has a name that is no text', offset)
      if (members.has(name)) throw new NodeFault('has a name twice', offset)
      const at = `${pointer}/${escapePointer(name)}`
      offsets.set(at, offset)
      members.set(name, read(value, at, depth + 1, offset))
    }
    return Object.fromEntries(members)
  }

  return { value: read(root, '', 0, 0), offsets }
}

/** RFC 6901 §3 */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function isPlainScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return value === null || typeof value === 'string' || typeof value === 'boolean'
}

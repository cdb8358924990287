// Where the figures of a metric are kept: one cell for each combination of its label values. Found by one
// value after the other, because to join them to one key would cost more than the counting itself.

type Node<Cell> = Map<string, Node<Cell> | Cell>

export interface Cells<Cell> {
  /** The cell of these values, which is made at the first time. */
  at(values: readonly string[]): Cell
  /** Every cell with its label values, in their order. */
  list(): readonly (readonly [values: readonly string[], cell: Cell])[]
}

export function openCells<Cell>(labelCount: number, make: () => Cell): Cells<Cell> {
  const root: Node<Cell> = new Map()
  // Of a metric without labels there is one.
  const only = labelCount === 0 ? make() : undefined

  function walk(node: Node<Cell>, depth: number, before: readonly string[]): [string[], Cell][] {
    return [...node].flatMap(([value, next]): [string[], Cell][] => {
      const values = [...before, value]
      return depth === labelCount
        ? [[values, next as Cell]]
        : walk(next as Node<Cell>, depth + 1, values)
    })
  }

  return {
    at(values) {
      if (only) return only
      let node = root
      const last = labelCount - 1
      for (let depth = 0; depth < last; depth += 1) {
        const value = values[depth] ?? ''
        let next = node.get(value) as Node<Cell> | undefined
        if (!next) {
          next = new Map()
          node.set(value, next)
        }
        node = next
      }
      const value = values[last] ?? ''
      let cell = node.get(value) as Cell | undefined
      if (!cell) {
        cell = make()
        node.set(value, cell)
      }
      return cell
    },
    list: () => (only ? [[[], only]] : walk(root, 1, [])),
  }
}

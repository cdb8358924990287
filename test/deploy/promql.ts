// What an expression of PromQL asks for, by Prometheus' own grammar: the series it selects and the
// labels it names.

import { parser } from '@prometheus-io/lezer-promql'

export interface Selector {
  readonly metric: string
  readonly matchers: readonly Matcher[]
}

export interface Matcher {
  readonly label: string
  readonly operator: '=' | '!=' | '=~' | '!~'
  readonly value: string
}

export interface Asked {
  readonly selectors: readonly Selector[]
  /** Those of `by`, `on`, `group_left` and the like. */
  readonly grouping: readonly string[]
}

/** Throws on what is no PromQL. */
export function readExpression(expression: string): Asked {
  const selectors: { metric: string; matchers: Matcher[] }[] = []
  const grouping: string[] = []
  const textOf = ({ from, to }: { from: number; to: number }) => expression.slice(from, to)
  parser.parse(expression).iterate({
    enter({ type, node }) {
      if (type.isError) throw new Error(`no PromQL at ${node.from}: ${expression}`)
      if (type.name === 'VectorSelector') {
        const name = node.getChild('Identifier')
        selectors.push({ metric: name ? textOf(name) : '', matchers: [] })
      }
      if (type.name === 'UnquotedLabelMatcher') {
        const [label = '', operator = '', text = ''] = [
          'LabelName',
          'MatchOp',
          'StringLiteral',
        ].map((part) => textOf(node.getChild(part) ?? { from: 0, to: 0 }))
        const value = JSON.parse(text.replaceAll("'", '"')) as string
        selectors.at(-1)?.matchers.push({ label, operator: operator as Matcher['operator'], value })
      }
      if (type.name === 'GroupingLabels') {
        grouping.push(...node.getChildren('LabelName').map(textOf))
      }
    },
  })
  return { selectors, grouping }
}

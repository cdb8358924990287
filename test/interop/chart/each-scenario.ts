// What is looked at in every scenario of the chart, and how selectors select.

import type { Test } from 'tap'
import type { Values } from '../../deploy/chart.ts'
import { ensureTools } from '../programs/helm.ts'
import { SCENARIOS } from './chart-scenarios.ts'
import { type Rendered, renderChart } from './rendered-chart.ts'

export type Labels = Readonly<Record<string, string>>

/** Runs `look` on what each scenario renders to. */
export async function inEach(
  t: Test,
  look: (t: Test, rendered: Rendered, values: Values) => void | Promise<void>,
): Promise<void> {
  const { helm } = ensureTools('v4.1.4')
  for (const [name, values] of Object.entries(SCENARIOS)) {
    await t.test(name, async (inner) => await look(inner, renderChart(helm, values), values))
  }
}

/** Whether a selector has these labels; throws for one that would have everything. */
export function selects(selector: Labels | undefined, labels: Labels): boolean {
  const pairs = Object.entries(selector ?? {})
  if (pairs.length === 0) throw new Error('selects everything')
  return pairs.every(([name, value]) => labels[name] === value)
}

/** Of the pods that serve. */
export function labelsOf({ deployment }: Rendered): Labels {
  return deployment.spec?.template.metadata?.labels ?? {}
}

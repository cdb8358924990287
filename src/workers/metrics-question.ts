// The question of a worker for the figures of the others, and its own answer to the same question.

import type { ProcessMetrics } from '../runtime/process-group.ts'
import type { FromWorker } from './worker-messages.ts'

/** For how long the one that supervises is waited for; then this worker tells its own figures alone. */
const ANSWER_MS = 2_000

export interface MetricsQuestion {
  /** Those of all others; none when nobody answers in time. One question at a time. */
  ask(own: ProcessMetrics): Promise<readonly ProcessMetrics[]>
  answered(metrics: readonly ProcessMetrics[]): void
}

export function openMetricsQuestion(tell: (message: FromWorker) => void): MetricsQuestion {
  let underway: Promise<readonly ProcessMetrics[]> | undefined
  let answer: (metrics: readonly ProcessMetrics[]) => void = () => {}
  return {
    ask(own) {
      underway ??= new Promise((resolve) => {
        const timer = setTimeout(() => answer([]), ANSWER_MS)
        answer = (metrics) => {
          clearTimeout(timer)
          underway = undefined
          resolve(metrics)
        }
        tell({ kind: 'metrics-wanted', own })
      })
      return underway
    },
    answered: (metrics) => answer(metrics),
  }
}

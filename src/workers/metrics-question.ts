// The question of a worker for the figures of the others, and its own answer to the same question.

import type { ProcessMetrics } from '../runtime/process-group.ts'
import type { FromWorker } from './worker-messages.ts'

/** For how long the one that supervises is waited for. It waits for a worker half as long. */
const ANSWER_MS = 2_000

export interface MetricsQuestion {
  /**
   * Those of all others, one question at a time. Rejects when nobody answers in time: the figures of this
   * worker alone would be totals that have fallen, which look like a restart, and then like news.
   */
  ask(own: ProcessMetrics): Promise<readonly ProcessMetrics[]>
  answered(metrics: readonly ProcessMetrics[]): void
}

export function openMetricsQuestion(
  tell: (message: FromWorker) => void,
  waitMs = ANSWER_MS,
): MetricsQuestion {
  let underway: Promise<readonly ProcessMetrics[]> | undefined
  let answer: (metrics: readonly ProcessMetrics[]) => void = () => {}
  return {
    ask(own) {
      underway ??= new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          underway = undefined
          reject(new Error('the figures of the other workers have not come in time'))
        }, waitMs)
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

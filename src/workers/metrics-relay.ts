// Whichever worker is asked for metrics tells those of the whole instance: it hands in its own figures
// and gets those of the others. What has been counted by workers that have ended is kept here, because
// a total that falls would look like a restart, and everything before it like news.

import type { ProcessMetrics } from '../runtime/process-group.ts'
import type { ToWorker } from './worker-messages.ts'

/** For how long a worker that is too busy to answer is waited for; then its last figures count. */
const ANSWER_MS = 1_000

/** A worker that can be asked. */
export interface MetricsTeller {
  readonly number: number
  send(message: ToWorker): void
}

export interface MetricsRelay {
  /** From now on the worker is asked as well. */
  join(worker: MetricsTeller): void
  /** The worker has ended; what it last told stays counted. */
  leave(worker: MetricsTeller): void
  /** The worker has been asked for metrics: it tells its own and wants those of the others. */
  wanted(worker: MetricsTeller, own: ProcessMetrics): void
  /** The worker answers a question of this relay. */
  told(worker: MetricsTeller, metrics: ProcessMetrics): void
}

/** `sumCounters` makes one of several, of what must not fall. */
export function openMetricsRelay(
  sumCounters: (of: readonly ProcessMetrics[]) => Promise<ProcessMetrics>,
): MetricsRelay {
  /** What each worker has told last; undefined until it has. */
  const latest = new Map<MetricsTeller, ProcessMetrics | undefined>()
  const asked = new Map<MetricsTeller, { answered: Promise<void>; answer: () => void }>()
  let ended: Promise<ProcessMetrics> = Promise.resolve([])

  /** Resolves when it has answered, has ended or takes too long. Asks once, however many want to know. */
  function ask(worker: MetricsTeller): Promise<void> {
    const underway = asked.get(worker)
    if (underway) return underway.answered
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      const timer = setTimeout(() => answer(), ANSWER_MS)
      answer = () => {
        clearTimeout(timer)
        asked.delete(worker)
        resolve()
      }
    })
    asked.set(worker, { answered, answer })
    worker.send({ kind: 'tell-metrics' })
    return answered
  }

  async function gather(asker: MetricsTeller): Promise<readonly ProcessMetrics[]> {
    await Promise.all([...latest.keys()].filter((worker) => worker !== asker).map(ask))
    const left = await ended
    const others = [...latest].flatMap(([worker, metrics]) =>
      worker === asker || !metrics ? [] : [metrics],
    )
    return left.length > 0 ? [...others, left] : others
  }

  return {
    join: (worker) => void latest.set(worker, undefined),

    leave(worker) {
      const last = latest.get(worker)
      latest.delete(worker)
      asked.get(worker)?.answer()
      if (last) ended = ended.then((before) => sumCounters([before, last]))
    },

    wanted(worker, own) {
      if (!latest.has(worker)) return
      latest.set(worker, own)
      void gather(worker).then((metrics) => worker.send({ kind: 'metrics-of-others', metrics }))
    },

    told(worker, metrics) {
      if (latest.has(worker)) latest.set(worker, metrics)
      asked.get(worker)?.answer()
    },
  }
}

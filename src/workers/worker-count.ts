// How many processes serve, and how such a process knows that it is one of them.

import type { Config } from '../config/service-config.ts'
import { availableCores } from '../runtime/available-cores.ts'
import { STOP_SIGNALS } from '../runtime/close-on-signal.ts'

const WORKERS_MAX = 64
/** The name of the process, which `ps` shows, is also what tells it that it is a worker. */
const TITLE = '--title=lineage-worker-'

/** 1 means that the process which was started serves itself. */
export function countWorkers({ mode, workers }: Pick<Config, 'mode' | 'workers'>): number {
  if (mode === 'embedded') return 1
  return workers === 'auto' ? Math.min(availableCores(), WORKERS_MAX) : workers
}

/** The option of Node that makes a process the worker of that number. */
export function workerOption(number: number): string {
  return `${TITLE}${number}`
}

/** The number of this worker; undefined in any other process. */
export function ownWorkerNumber(): number | undefined {
  const option = process.execArgv.find((argument) => argument.startsWith(TITLE))
  return option === undefined ? undefined : Number(option.slice(TITLE.length))
}

/**
 * Leaves it to the supervising process when this one ends, if it is a worker: a terminal, or whoever
 * stops a whole control group, sends the signal to all of them.
 */
export function leaveSignalsToSupervisor(): void {
  if (ownWorkerNumber() === undefined) return
  for (const signal of STOP_SIGNALS) process.on(signal, () => {})
}

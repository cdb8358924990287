// The processes that are one instance together, as each of them sees itself (docs/semantics.md
// §13): alone by default, or one of `LINEAGE_WORKERS`.

import type { MetricSnapshot } from './metric-snapshot.ts'

/** What is meant for a whole instance is divided by its size, or done by its one keeper. */
export interface ProcessGroup {
  readonly size: number
  /** Whether this process is the one that keeps house. That can change at any time. */
  readonly keepsHouse: () => boolean
  /** Lets the one that does know that deliveries are due. */
  readonly announceDeliveries: () => void
  /**
   * What the others have to tell, and those that have ended; they are told in turn what this one has.
   * Never rejects: of one that does not answer in time, it is what it last told.
   */
  readonly metricsOfOthers: (own: ProcessMetrics) => Promise<readonly ProcessMetrics[]>
}

/** The figures of one process, in a form that processes can send to each other. */
export type ProcessMetrics = readonly MetricSnapshot[]

export const ALONE: ProcessGroup = {
  size: 1,
  keepsHouse: () => true,
  announceDeliveries: () => {},
  metricsOfOthers: async () => [],
}

/** An equal share of what an instance may have, rounded up, and `atLeast` as many. */
export function shareOf(total: number, { size }: Pick<ProcessGroup, 'size'>, atLeast = 1): number {
  return Math.max(atLeast, Math.ceil(total / size))
}

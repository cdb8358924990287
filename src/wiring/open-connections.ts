// How many connections each listener of this process may have, and who hears of those that are too many.

import type { ConnectionBound } from '../http/server/bound-connections.ts'
import { logEvent } from '../ops/log-events.ts'
import { tellNowAndThen } from '../ops/now-and-then.ts'
import { shareOf } from '../runtime/process-group.ts'
import type { Foundation } from './foundation.ts'

export interface Connections extends ConnectionBound {
  /** Takes how many one listener has, to be read when somebody asks. */
  readonly addListener: (count: () => number) => void
}

export function openConnections({
  config,
  figures,
  group,
  logger,
}: Pick<Foundation, 'config' | 'figures' | 'group' | 'logger'>): Connections {
  const listeners: (() => number)[] = []
  const displaced = { unused: 0, newcomer: 0 }
  figures.connections.readFrom(() => [[listeners.reduce((sum, count) => sum + count(), 0)]])
  const tellSoon = tellNowAndThen(() => {
    logEvent(logger, 'connections.full', { ...displaced, max })
    Object.assign(displaced, { unused: 0, newcomer: 0 })
  })
  const max = shareOf(config.maxConnections, group)
  return {
    max,
    onFull(which) {
      figures.connectionsDisplaced.add(which)
      displaced[which] += 1
      tellSoon()
    },
    addListener: (count) => void listeners.push(count),
  }
}

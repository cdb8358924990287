// One line when a dependency goes and one when it is back, however many requests, polls and
// reconnects notice it in between.

import type { Dependency } from '../runtime/dependency-unavailable.ts'
import { type EventLogger, logEvent } from './log-events.ts'

export interface OutageLog {
  failed(dependency: Dependency, fields?: object): void
  succeeded(dependency: Dependency): void
}

export function openOutageLog(logger: EventLogger): OutageLog {
  const down = new Set<Dependency>()
  return {
    failed(dependency, fields = {}) {
      if (down.has(dependency)) return
      down.add(dependency)
      logEvent(logger, 'dependency.down', { dependency, ...fields })
    },
    succeeded(dependency) {
      if (down.delete(dependency)) logEvent(logger, 'dependency.up', { dependency })
    },
  }
}

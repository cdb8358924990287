// Health put together: which dependencies are checked, and where changes are logged.

import { createHealth, type Health } from '../ops/health.ts'
import type { Foundation } from './foundation.ts'
import type { OpenedFamilyStore } from './open-family-store.ts'

/** Not started yet: the caller marks that when it listens. */
export function openHealth(
  { database, outages }: Pick<Foundation, 'database' | 'outages'>,
  { store, warnings }: Pick<OpenedFamilyStore, 'store' | 'warnings'>,
): Health {
  return createHealth({
    checks: {
      postgresql: database.ping,
      ...(store.name === 'redis' ? { redis: store.ping } : {}),
    },
    warnings: () => [...warnings(), ...database.warnings()],
    onChange: (dependency, state) =>
      state === 'ok' ? outages.succeeded(dependency) : outages.failed(dependency),
  })
}

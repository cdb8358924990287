// Readiness: which state answers what, and how often dependencies are asked.

import { test } from 'tap'
import { createHealth, type Health } from '../../src/ops/health.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'

/** A dependency that is told what to do and counts how often it was asked. */
function openDependency() {
  const self = {
    asked: 0,
    behave: async (): Promise<void> => {},
    check: () => {
      self.asked += 1
      return self.behave()
    },
    die: () => {
      self.behave = async () => {
        throw new Error('down')
      }
    },
    revive: () => {
      self.behave = async () => {}
    },
  }
  return self
}

function openHealth(warnings: string[] = []) {
  const time = { nowMs: 0 }
  const [postgresql, redis] = [openDependency(), openDependency()]
  const changes: string[] = []
  const health: Health = createHealth({
    checks: { postgresql: postgresql.check, redis: redis.check },
    warnings: () => warnings,
    onChange: (dependency, state) => void changes.push(`${dependency} ${state}`),
    clock: () => time.nowMs,
  })
  return { health, postgresql, redis, changes, time }
}

test('is starting, then ok, then draining for good', async (t) => {
  const { health } = openHealth()
  const dependencies = { postgresql: 'ok', redis: 'ok' }
  t.strictSame(await health.readiness(), { status: 'starting', dependencies })
  health.markStarted()
  t.strictSame(await health.readiness(), { status: 'ok', dependencies })
  health.markDraining()
  t.strictSame(await health.readiness(), { status: 'draining', dependencies })
  health.markStarted()
  t.equal((await health.readiness()).status, 'draining')
})

test('a dead dependency is degraded, and told once when it goes and once when it comes', async (t) => {
  const { health, redis, changes, time } = openHealth()
  health.markStarted()
  await health.readiness()
  t.strictSame(changes, [], 'a good first look is no news')
  redis.die()
  for (time.nowMs of [1_000, 2_000]) {
    t.strictSame(await health.readiness(), {
      status: 'degraded',
      dependencies: { postgresql: 'ok', redis: 'down' },
    })
  }
  redis.revive()
  time.nowMs = 3_000
  t.equal((await health.readiness()).status, 'ok')
  t.strictSame(changes, ['redis down', 'redis ok'])
})

test('a flood of probes asks a dependency once a second', async (t) => {
  const { health, postgresql, time } = openHealth()
  await Promise.all(Array.from({ length: 100 }, () => health.readiness()))
  t.equal(postgresql.asked, 1)
  time.nowMs = 999
  await health.readiness()
  t.equal(postgresql.asked, 1)
  time.nowMs = 1_000
  await Promise.all(Array.from({ length: 100 }, () => health.readiness()))
  t.equal(postgresql.asked, 2)
})

test('the second is counted from the answer, however slow', async (t) => {
  const { health, redis, time } = openHealth()
  redis.behave = async () => {
    time.nowMs = 5_000
  }
  await health.readiness()
  time.nowMs = 5_999
  await health.readiness()
  t.equal(redis.asked, 1)
})

test('a dependency that never answers is down within its deadline', async (t) => {
  const { health, redis } = openHealth()
  redis.behave = () => new Promise(() => {})
  t.match(await health.readiness(), { dependencies: { postgresql: 'ok', redis: 'down' } })
})

test('a dependency that was not even asked stays what it was known to be', async (t) => {
  const { health, postgresql, changes, time } = openHealth()
  postgresql.behave = async () => {
    throw new DependencyUnavailable('postgresql', 'too many wait', 'queue')
  }
  t.match(await health.readiness(), { dependencies: { postgresql: 'ok' } })
  t.strictSame(changes, [])
  postgresql.die()
  time.nowMs = 1_000
  t.match(await health.readiness(), { dependencies: { postgresql: 'down' } })
  postgresql.behave = async () => {
    throw new DependencyUnavailable('postgresql', 'too many wait', 'queue')
  }
  time.nowMs = 2_000
  t.match(await health.readiness(), { dependencies: { postgresql: 'down' } })
  t.strictSame(changes, ['postgresql down'])
})

test('warnings are a member only while there are some', async (t) => {
  const warnings: string[] = []
  const { health } = openHealth(warnings)
  t.notOk('warnings' in (await health.readiness()))
  warnings.push('Redis may evict families')
  t.strictSame((await health.readiness()).warnings, ['Redis may evict families'])
  warnings.pop()
  t.notOk('warnings' in (await health.readiness()))
})

test('a dependency that is not used is not named', async (t) => {
  const health = createHealth({ checks: { postgresql: async () => {} } })
  health.markStarted()
  t.strictSame(await health.readiness(), { status: 'ok', dependencies: { postgresql: 'ok' } })
})

import { test } from 'tap'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import { openKeyInstances, statesOf } from '../scenes/key-instances.ts'
import { userClaimsAt } from '../scenes/token-input.ts'
import { startPostgres } from '../support/postgres.ts'

test('while PostgreSQL is away the keys in memory go on, and the life goes on after it', async (t) => {
  const postgres = await startPostgres(t)
  const { clock, open } = await openKeyInstances(t, postgres.url)
  const keys = await open()
  const jwks = keys.jwks()
  clock.step(31 * 86_400)
  await postgres.stop()

  await t.rejects(keys.reload(), DependencyUnavailable)
  await t.rejects(keys.rotate({ compromised: false }), DependencyUnavailable)
  await t.rejects(keys.rotate({ compromised: true }), DependencyUnavailable)
  await t.rejects(keys.tick(), DependencyUnavailable)
  const claims = userClaimsAt(clock())
  t.strictSame(keys.verify(keys.sign(claims)), claims)
  t.strictSame(keys.jwks(), jwks)
  await t.rejects(open(), DependencyUnavailable)

  await postgres.start()
  await keys.tick()
  t.strictSame(statesOf(keys), ['active', 'next'])
})

test('a PostgreSQL that hangs holds nobody up', async (t) => {
  const postgres = await startPostgres(t)
  const { clock, open } = await openKeyInstances(t, postgres.url)
  const keys = await open()
  postgres.pause()
  const waiting = [keys.reload(), keys.rotate({ compromised: false }), keys.tick()]
  const claims = userClaimsAt(clock())
  t.strictSame(keys.verify(keys.sign(claims)), claims)
  const [tick, ...others] = (await Promise.allSettled(waiting)).toReversed()
  t.equal(tick?.status, 'fulfilled', 'nothing was due')
  for (const result of others) {
    t.ok(result.status === 'rejected' && result.reason instanceof DependencyUnavailable)
  }
  postgres.resume()
  await keys.tick()
  t.strictSame(keys.verify(keys.sign(claims)), claims)
})

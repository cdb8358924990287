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

test('a change that waits for the lock of the keys while the server answers is no outage', async (t) => {
  const { database, open } = await openKeyInstances(t)
  const keys = await open()
  const holder = await database.pool.connect()
  t.teardown(() => holder.release(true))
  await holder.query('SELECT pg_advisory_lock(72707370)')
  let isOver = false
  const refusal = keys
    .rotate({ compromised: false })
    .catch((error: unknown) => error)
    .finally(() => {
      isOver = true
    })
  while (!isOver) await keys.database.pool.query('SELECT 1')
  t.match(await refusal, { name: 'DependencyUnavailable', because: 'queue' })
})

test('a change that the server ended because of a conflict is made again', async (t) => {
  const { database, open } = await openKeyInstances(t)
  const keys = await open()
  // A sequence counts on when the transaction is rolled back, so only the first attempt fails.
  await database.pool.query('CREATE SEQUENCE attempts')
  await database.pool.query(`CREATE FUNCTION refuse_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('attempts') = 1 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF;
      RETURN NEW;
    END $$`)
  await database.pool.query(`CREATE TRIGGER refuse_once BEFORE INSERT ON signing_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_once()`)
  await keys.rotate({ compromised: false })
  t.strictSame(statesOf(keys), ['active', 'next'])
})

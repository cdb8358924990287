// The audit trail of a whole service: nothing lost on a clean stop or while PostgreSQL is away, and
// gone when its time is over.

import { test } from 'tap'
import { createLogger } from '../../src/ops/logger.ts'
import { openService } from '../../src/wiring/open-service.ts'
import { startApp, testConfig } from '../support/app.ts'
import { readEvents, waitForEvent } from '../support/audit.ts'
import { openTestDatabase, startPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const DAY_MS = 24 * 60 * 60 * 1000

function openSilent(databaseUrl: string) {
  const lines: { event: string; detail?: unknown }[] = []
  const write = (line: string) => void lines.push(JSON.parse(line))
  const logger = createLogger('debug', { write })
  return { lines, service: openService({ config: testConfig(databaseUrl), logger }) }
}

test('a clean stop writes every event that was recorded', async (t) => {
  const { url } = await openTestDatabase(t)
  const service = await openSilent(url).service
  for (let number = 0; number < 650; number += 1) {
    service.recordEvent({ type: 'user.updated', subject: String(number) })
  }
  await service.close()
  const app = await startApp(t, { beside: { databaseUrl: url } })
  const page = { limit: 1_000, after: undefined }
  const { items } = await app.service.events.list({ type: ['user.updated'] }, page)
  t.strictSame(
    items.map(({ subject }) => subject).toReversed(),
    Array.from({ length: 650 }, (_, number) => String(number)),
  )
})

test('no level of the log keeps an event out of the trail', async (t) => {
  const { url } = await openTestDatabase(t)
  const logger = createLogger('silent', undefined, { concerns: new Map([['user', 'silent']]) })
  const service = await openService({ config: testConfig(url), logger })
  service.recordEvent({ type: 'user.updated', subject: 'somebody' })
  await service.close()
  const app = await startApp(t, { beside: { databaseUrl: url } })
  t.match(await waitForEvent(app, 'user.updated'), { subject: 'somebody' })
})

test('what happens while PostgreSQL is away is written when it is back', async (t) => {
  const server = await startPostgres(t)
  const { service: opening, lines } = openSilent(server.url)
  const service = await opening
  t.teardown(() => service.close())
  await server.stop()
  const subjects = Array.from({ length: 250 }, (_, number) => String(number))
  for (const subject of subjects) service.recordEvent({ type: 'user.updated', subject })
  await until('an outage', () => lines.some(({ event }) => event === 'dependency.down'))
  await server.start()
  const found = await until('all of them', async () => {
    const page = { limit: 300, after: undefined }
    const { items } = await service.events
      .list({ type: ['user.updated'] }, page)
      .catch(() => ({ items: [] }))
    return items.length === 250 && items
  })
  t.strictSame(found.map(({ subject }) => subject).toReversed(), subjects)
  t.notOk(lines.some(({ event }) => event === 'events.dropped'))
})

test('a stop without PostgreSQL says how many events are lost, and ends', async (t) => {
  const server = await startPostgres(t)
  const { service: opening, lines } = openSilent(server.url)
  const service = await opening
  await waitUntilWritten(service)
  await server.stop()
  for (let count = 0; count < 7; count += 1) service.recordEvent({ type: 'user.updated' })
  await service.close()
  t.match(
    lines.find(({ event }) => event === 'events.dropped'),
    { detail: { count: 7 } },
  )
})

/** The first key's events are written a moment after the start. */
async function waitUntilWritten(service: Awaited<ReturnType<typeof openService>>): Promise<void> {
  const page = { limit: 10, after: undefined }
  await until(
    'the first events',
    async () => (await service.events.list({}, page)).items.length >= 2,
  )
}

test('events are kept as long as LINEAGE_EVENT_RETENTION_DAYS says', async (t) => {
  let nowMs = Date.UTC(2026, 5, 1)
  const app = await startApp(t, { clock: () => nowMs, config: { eventRetentionDays: 2 } })
  app.service.recordEvent({ type: 'user.updated', subject: 'old' })
  await waitForEvent(app, 'user.updated', { subject: 'old' })
  nowMs += DAY_MS
  app.service.recordEvent({ type: 'user.updated', subject: 'young' })
  await waitForEvent(app, 'user.updated', { subject: 'young' })
  nowMs += 1.5 * DAY_MS
  const left = await until('the deletion', async () => {
    const events = await readEvents(app, '&type=user.updated')
    return events.length < 2 && events
  })
  t.match(left, [{ subject: 'young' }])
})

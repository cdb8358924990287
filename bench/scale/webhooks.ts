// Does a webhook wait for what another one is owed? So many deliveries are due for a receiver that never
// answers, while a live one is sent its own.

import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import {
  openWebhookDeliverer,
  type WebhookDeliverer,
} from '../../src/webhooks/webhook-deliverer.ts'
import { openWebhookOutbox, type WebhookOutbox } from '../../src/webhooks/webhook-outbox.ts'
import { openWebhookStore } from '../../src/webhooks/webhook-store.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import { rootSecretsOf } from '../../test/support/root-secrets.ts'
import type { Scope } from '../../test/support/scope.ts'
import { costOf } from './many.ts'
import { openPostgresCase, type PostgresCase } from './postgres-case.ts'
import type { ScaleMeasure, ScaleQuestion } from './scale-question.ts'

const SIZES = [1_000, 1_000_000]
const MESSAGES = 200
/** How long the slow receiver of the drain takes for each. */
const SLOW_MS = 50
const LOOKS = 50
const NO_EVENTS = {
  events: [],
  description: '',
  status: 'active',
  allowPrivateNetwork: true,
} as const

interface WebhooksCase {
  readonly outbox: WebhookOutbox
  /** Sends so many messages to the live receiver, which takes each after `answerMs`. */
  send(count: number, answerMs: number): Promise<void>
}

export const webhooks: ScaleQuestion = {
  name: 'webhooks',
  title: 'the cost of a message while so many are due for a receiver that never answers',
  async prepare(scope, scaled) {
    const sizes = SIZES.map((size) => (size <= 1_000 ? size : Math.max(1_000, scaled(size))))
    const { url } = await startPostgres(scope)
    const cases: WebhooksCase[] = []
    for (const size of sizes) cases.push(await openCase(scope, url, size))
    const [, large] = cases
    const drainMs = await costOf(
      1,
      () => performance.now(),
      async () => large?.send(400, SLOW_MS),
    )
    return {
      cases: sizes.map((size) => `${size.toLocaleString('en')} due`),
      measures: measuresOf(cases),
      facts: {
        [`messages a second to a receiver that takes ${SLOW_MS} ms`]: (400 / drainMs) * 1_000,
      },
    }
  },
}

function measuresOf(cases: readonly WebhooksCase[]): ScaleMeasure[] {
  return [
    {
      name: 'looking for what is due',
      unit: 'ms',
      cases: cases.map(({ outbox }) => () => {
        return costOf(
          LOOKS,
          () => performance.now(),
          async () => {
            for (let look = 0; look < LOOKS; look += 1) await outbox.listDue([])
          },
        )
      }),
    },
    {
      name: 'a message to a live receiver',
      unit: 'ms',
      cases: cases.map(({ send }) => () => {
        return costOf(
          MESSAGES,
          () => performance.now(),
          () => send(MESSAGES, 0),
        )
      }),
    },
  ]
}

async function openCase(scope: Scope, serverUrl: string, due: number): Promise<WebhooksCase> {
  const postgres = await openPostgresCase(scope, serverUrl)
  const { database } = postgres
  const rootSecrets = rootSecretsOf(1)
  const store = openWebhookStore({ database, rootSecrets, clock: Date.now })
  const live = await listen(scope)
  const dead = await listen(scope)
  const liveId = (await store.create({ ...NO_EVENTS, url: live.url })).webhook.id
  const deadId = (await store.create({ ...NO_EVENTS, url: dead.url })).webhook.id
  await addDue(postgres, deadId, due)
  await postgres.run('VACUUM ANALYZE')
  const outbox = openWebhookOutbox(database)
  const deliverer = openWebhookDeliverer({
    outbox,
    rootSecrets,
    clock: Date.now,
    onFailed: () => {},
    onError: (error) => {
      throw error
    },
  })
  scope.teardown(() => deliverer.stop())
  return { outbox, send: (count, ms) => send(postgres, { deliverer, live, liveId }, count, ms) }
}

async function send(
  postgres: PostgresCase,
  to: { deliverer: WebhookDeliverer; live: Receiver; liveId: string },
  count: number,
  answerMs: number,
): Promise<void> {
  let taken = 0
  const done = new Promise<void>((resolve) => {
    to.live.server.removeAllListeners('request')
    to.live.server.on('request', async (_request, response: ServerResponse) => {
      if (answerMs > 0) await delay(answerMs)
      response.writeHead(204).end()
      taken += 1
      if (taken === count) resolve()
    })
  })
  await addDue(postgres, to.liveId, count)
  await to.deliverer.deliverDue()
  await done
}

async function addDue({ run }: PostgresCase, webhookId: string, count: number): Promise<void> {
  await run(
    `INSERT INTO webhook_deliveries (id, webhook_id, type, next_attempt_at)
     SELECT gen_random_uuid(), '${webhookId}', 'webhook.test', now()
     FROM generate_series(1, ${count})`,
  )
}

interface Receiver {
  readonly server: Server
  readonly url: string
}

/** Answers nothing by itself. */
async function listen(scope: Scope): Promise<Receiver> {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

// AMQP connections that stay open: what becomes of them when their token has expired, and what a new
// token for them changes.

import { AMQPClient } from '@cloudamqp/amqp-client'
import type { Test } from 'tap'
import { until } from '../../support/until.ts'
import { outlive, readClaims } from '../gateways/tokens.ts'
import { type Broker, issue, makeBrokerClient, SERVER_ID } from './rabbitmq-broker.ts'
import type { RabbitNode } from './rabbitmq-node.ts'

const BRIEF_SECONDS = 5
/** RabbitMQ looks anew at what a channel may do when it is idle, or a minute is over. */
const TIMEOUT_MS = 120_000
const EXPIRED = /ACCESS_REFUSED .*Provided JWT token has expired/
const PERMISSIONS = ['configure:*/*', 'write:*/*', 'read:*/*'].map((one) => `${SERVER_ID}.${one}`)

/** Any name will do, the password is the token. A message is published when it is confirmed. */
async function connect(t: Test, { amqpPort }: RabbitNode, token: string) {
  const client = new AMQPClient(`amqp://anybody:${token}@127.0.0.1:${amqpPort}`, undefined, null)
  const disconnected = new Promise<string>((resolve) => {
    client.ondisconnect = (error) => resolve(error?.message ?? '')
  })
  await client.connect()
  t.teardown(() => client.socket?.destroy())
  const channel = await client.channel()
  await channel.confirmSelect()
  return { client, channel, disconnected }
}

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  return (await refusalIn(promise)) || 'not refused'
}

function refusalIn(promise: Promise<unknown>): Promise<string | false> {
  return promise.then(
    () => false as const,
    (error: Error) => error.message,
  )
}

/** By a token that was good for as long as it took to get to consume, from a queue of its own. */
async function connectBriefly(t: Test, { scene, node }: Broker) {
  const times = { accessTokenTtlSeconds: BRIEF_SECONDS, refreshGraceSeconds: 0 }
  const client = await makeBrokerClient(scene, { defaultScopes: PERMISSIONS, ...times })
  return await until('a connection in time', async () => {
    const token = await issue(scene, client)
    const open = async () => {
      const connection = await connect(t, node, token)
      const { name: queue } = await connection.channel.queueDeclare('')
      const received: (string | null)[] = []
      await connection.channel.basicConsume(queue, { noAck: true }, (message) => {
        received.push(message.bodyToString())
      })
      await connection.channel.basicPublish('', queue, 'in time')
      return { ...connection, token, queue, received }
    }
    return await open().catch(() => false as const)
  })
}

/** What a connection is good for when its token is not. */
export async function checkExpiry(t: Test, broker: Broker): Promise<void> {
  const { scene, node } = broker
  const all = await makeBrokerClient(scene, { defaultScopes: PERMISSIONS })
  const steady = await connect(t, node, await issue(scene, all))
  const { client, token, queue, ...brief } = await connectBriefly(t, broker)
  await outlive(token)
  t.match(await refusalOf(connect(t, node, token)), /ACCESS_REFUSED - Login was refused/)
  await steady.channel.basicPublish('', queue, 'late')
  await until('what is published after exp', () => brief.received.includes('late'))
  t.match(await refusalOf((await client.channel()).queueDeclare('')), EXPIRED)
  // What it may do is remembered for a while.
  const publish = () => refusalIn(brief.channel.basicPublish('', queue, 'of its own'))
  t.match(await until('a refusal', publish, TIMEOUT_MS), EXPIRED)
  t.equal(client.closed, false, 'only the channel is')

  const channel = await client.channel()
  await client.updateSecret(await issue(scene, all), 'expired')
  await channel.queueDeclare('')
  await client.updateSecret(token, 'of no use')
  t.match(await refusalOf(channel.queueDeclare('')), EXPIRED, 'it was taken, and is of no use')
  // The library forgets this promise when the connection ends.
  void client.updateSecret('garbage', 'of no use')
  t.match(await brief.disconnected, /NOT_ALLOWED - New secret was refused/)
}

/** A channel that is never idle: it may go on for a minute, not for longer. */
export async function checkBusyChannel(t: Test, broker: Broker): Promise<void> {
  const { token, queue, channel } = await connectBriefly(t, broker)
  const publish = () => refusalIn(channel.basicPublish('', queue, 'more'))
  t.match(await until('a refusal', publish, TIMEOUT_MS), EXPIRED)
  const lateMs = Date.now() - readClaims(token).exp * 1_000
  t.ok(lateMs >= 0, `refused ${lateMs} ms after exp`)
}

// How many messages may be on their way, of one webhook and of all.

import { test } from 'tap'
import {
  FAILING_MAX,
  FAILURES_UNTIL_PACED,
  FURTHER_MAX,
  LANE_MAX,
  openWebhookLanes,
  SENDING_MAX,
  UNPROVEN_MAX,
  type WebhookLanes,
} from '../../src/webhooks/webhook-lanes.ts'

const HOUR_MS = 60 * 60 * 1000
const NOT_PACED = { isPaced: false }

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${prefix}-${number}`)
}

/** Takes all that these are given, and gives how many that is for each. */
function fill(lanes: WebhookLanes, ids: readonly string[]): Map<string, number> {
  const shares = lanes.share(ids, NOT_PACED)
  for (const { webhookId, room } of shares) {
    for (let count = 0; count < room; count += 1) lanes.begin(webhookId)
  }
  return new Map(shares.map(({ webhookId, room }) => [webhookId, room]))
}

function attempt(lanes: WebhookLanes, id: string, isDelivered: boolean, times = 1): void {
  for (let count = 0; count < times; count += 1) {
    lanes.begin(id)
    lanes.end(id, isDelivered)
  }
}

function sum(rooms: Map<string, number>): number {
  return [...rooms.values()].reduce((total, room) => total + room, 0)
}

test('a lane is one at first, widens with success, and is one again after a failure', async (t) => {
  const lanes = openWebhookLanes(() => 0)
  t.strictSame(lanes.share(['new'], NOT_PACED), [{ webhookId: 'new', room: 1 }])
  attempt(lanes, 'new', true, 3)
  t.strictSame(lanes.share(['new'], NOT_PACED), [{ webhookId: 'new', room: 4 }])
  attempt(lanes, 'new', true, 20)
  t.strictSame(fill(lanes, ['new']), new Map([['new', LANE_MAX]]))
  t.strictSame(lanes.full(), ['new'])
  t.strictSame(lanes.share(['new'], NOT_PACED), [])
  lanes.end('new', false)
  t.strictSame(lanes.full(), ['new'], 'the others are still on their way')
  for (let count = 1; count < LANE_MAX; count += 1) lanes.end('new', false)
  t.strictSame(lanes.share(['new'], NOT_PACED), [{ webhookId: 'new', room: 1 }])
})

test('unknown, failing and well-known webhooks leave room for each other', async (t) => {
  const lanes = openWebhookLanes(() => 0)
  const [failing, well, unknown] = [names('bad', 40), names('well', 12), names('new', 40)]
  for (const id of failing) attempt(lanes, id, false)
  for (const id of well) attempt(lanes, id, true, LANE_MAX)
  t.equal(sum(fill(lanes, failing)), FAILING_MAX)
  t.equal(sum(fill(lanes, unknown)), UNPROVEN_MAX - FAILING_MAX)
  const taken = fill(lanes, well.slice(0, 6))
  t.equal(sum(taken), 6 + FURTHER_MAX, 'the first of each and what is left for further ones')
  const left = fill(lanes, well)
  t.strictSame(
    [...left.values()],
    Array.from({ length: left.size }, () => 1),
  )
  t.equal(sum(left), SENDING_MAX - UNPROVEN_MAX - FURTHER_MAX - 6)
  t.strictSame(lanes.share([...failing, ...well, ...unknown], NOT_PACED), [])
})

test('whoever was sent something last comes last', async (t) => {
  const lanes = openWebhookLanes(() => 0)
  const ids = names('bad', FAILING_MAX + 2)
  for (const id of ids) attempt(lanes, id, false)
  attempt(lanes, 'bad-0', false)
  const order = lanes.share(ids.toReversed(), NOT_PACED).map(({ webhookId }) => webhookId)
  t.strictSame(order, ids.slice(1, FAILING_MAX + 1))
})

test('one that goes on failing is not tried at the pace of its failures', async (t) => {
  const lanes = openWebhookLanes(() => 0)
  attempt(lanes, 'bad', false, FAILURES_UNTIL_PACED - 1)
  t.equal(lanes.share(['bad'], { isPaced: true }).length, 1)
  attempt(lanes, 'bad', false)
  t.equal(lanes.share(['bad'], { isPaced: true }).length, 0)
  t.equal(lanes.share(['bad'], NOT_PACED).length, 1)
  attempt(lanes, 'bad', true)
  t.equal(lanes.share(['bad'], { isPaced: true }).length, 1)
})

test('one that is sent nothing for a day is forgotten, one that is being sent is not', async (t) => {
  let nowMs = 0
  const lanes = openWebhookLanes(() => nowMs)
  attempt(lanes, 'idle', true, LANE_MAX)
  attempt(lanes, 'busy', true, LANE_MAX)
  lanes.begin('busy')
  nowMs += 25 * HOUR_MS
  const rooms = lanes.share(['idle', 'busy'], NOT_PACED)
  t.strictSame(
    new Map(rooms.map(({ webhookId, room }) => [webhookId, room])),
    new Map([
      ['idle', 1],
      ['busy', LANE_MAX - 1],
    ]),
  )
})

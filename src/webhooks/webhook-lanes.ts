// How many messages each webhook may be sent at the same time, and all together, so that receivers that
// hang or fail take from the others only what they may. A webhook has a lane: one at first, one more
// with each success, one again after a failure. No time, no I/O.

import type { Clock } from '../runtime/clock.ts'

/** What is sent at the same time by one instance, and of one webhook. */
export const SENDING_MAX = 64
export const LANE_MAX = 8
/** Of SENDING_MAX, to webhooks that have not taken anything since they failed or since the start. */
export const UNPROVEN_MAX = 32
/** Of UNPROVEN_MAX, to those that failed last. */
export const FAILING_MAX = 16
/** Of SENDING_MAX, beyond the first of each webhook: they may all begin to hang at once. */
export const FURTHER_MAX = 24
/** After so many failures in a row a webhook is tried only when new events or the poll ask for it. */
export const FAILURES_UNTIL_PACED = 4
/** By then every delivery is done or given up: it was deleted or disabled, or is idle. */
const FORGOTTEN_AFTER_MS = 24 * 60 * 60 * 1000

export interface WebhookShare {
  readonly webhookId: string
  /** How many more it may be sent. */
  readonly room: number
}

export interface WebhookLanes {
  /** Webhooks that may not be sent more now. */
  full(): readonly string[]
  /** Who of these may be sent how many more; whoever was sent something last comes last. */
  share(webhookIds: readonly string[], options: { readonly isPaced: boolean }): WebhookShare[]
  begin(webhookId: string): void
  end(webhookId: string, isDelivered: boolean): void
}

interface Lane {
  width: number
  sending: number
  isProven: boolean
  /** In a row. */
  failures: number
  usedAtMs: number
}

export function openWebhookLanes(clock: Clock): WebhookLanes {
  /** In the order in which they were sent something. */
  const lanes = new Map<string, Lane>()

  function laneOf(webhookId: string): Lane {
    const fresh = { width: 1, sending: 0, isProven: false, failures: 0, usedAtMs: clock() }
    return lanes.get(webhookId) ?? fresh
  }

  function put(webhookId: string, lane: Lane): void {
    lanes.delete(webhookId)
    lanes.set(webhookId, { ...lane, usedAtMs: clock() })
  }

  return {
    full: () => [...lanes].flatMap(([id, lane]) => (lane.sending >= lane.width ? [id] : [])),

    share(webhookIds, { isPaced }) {
      forget(lanes, clock() - FORGOTTEN_AFTER_MS)
      const places = new Map([...lanes.keys()].map((id, place) => [id, place]))
      const placeOf = (id: string) => places.get(id) ?? -1
      const left = countLeft([...lanes.values()])
      return webhookIds
        .toSorted((one, other) => placeOf(one) - placeOf(other))
        .map((webhookId) => ({ webhookId, room: takeRoom(laneOf(webhookId), left, isPaced) }))
        .filter(({ room }) => room > 0)
    },

    begin(webhookId) {
      const lane = laneOf(webhookId)
      put(webhookId, { ...lane, sending: lane.sending + 1 })
    },

    end(webhookId, isDelivered) {
      const lane = laneOf(webhookId)
      lanes.set(webhookId, {
        width: isDelivered ? Math.min(lane.width + 1, LANE_MAX) : 1,
        sending: lane.sending - 1,
        isProven: isDelivered,
        failures: isDelivered ? 0 : lane.failures + 1,
        usedAtMs: clock(),
      })
    },
  }
}

/** What is left of each bound. */
interface Left {
  all: number
  unproven: number
  failing: number
  further: number
}

function countLeft(lanes: readonly Lane[]): Left {
  const sum = (of: (lane: Lane) => number) => lanes.reduce((total, lane) => total + of(lane), 0)
  return {
    all: SENDING_MAX - sum(({ sending }) => sending),
    unproven: UNPROVEN_MAX - sum(({ isProven, sending }) => (isProven ? 0 : sending)),
    failing: FAILING_MAX - sum(({ failures, sending }) => (failures > 0 ? sending : 0)),
    further: FURTHER_MAX - sum(({ sending }) => Math.max(0, sending - 1)),
  }
}

/** How many more the webhook may be sent; they are taken from what is left. */
function takeRoom(lane: Lane, left: Left, isPaced: boolean): number {
  const { width, sending, isProven, failures } = lane
  if (isPaced && failures >= FAILURES_UNTIL_PACED) return 0
  const first = sending === 0 && left.all > 0 ? 1 : 0
  if (isProven) {
    const wanted = width - sending - first
    const further = Math.max(0, Math.min(wanted, left.further, left.all - first))
    left.all -= first + further
    left.further -= further
    return first + further
  }
  const isFailing = failures > 0
  if (left.unproven <= 0 || (isFailing && left.failing <= 0)) return 0
  left.all -= first
  left.unproven -= first
  if (isFailing) left.failing -= first
  return first
}

function forget(lanes: Map<string, Lane>, beforeMs: number): void {
  for (const [id, { sending, usedAtMs }] of lanes) {
    if (sending === 0 && usedAtMs < beforeMs) lanes.delete(id)
  }
}

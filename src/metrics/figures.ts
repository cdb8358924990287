// Every metric of the service: its name, its labels, what it counts. docs/operations.md repeats this
// list, and test/docs/metrics.test.ts holds them to each other. Nobody outside of this folder and of
// wiring/ knows it: who has something to count tells it to a function that it was handed.

import { LOAD_CLASSES } from '../admission/load-class.ts'
import { openCounter } from './counter.ts'
import { openGauge } from './gauge.ts'
import { openHistogram } from './histogram.ts'

/** How a refresh ended. Grace use and refused reuse are told apart, so that false alarms show. */
const REFRESH_OUTCOMES = [
  ...(['rotated', 'kept', 'behind', 'retried'] as const),
  ...(['replayed', 'inactive', 'refused', 'invalid', 'unavailable'] as const),
] as const

/** How a login ended that had come as far as its credentials. */
export const LOGIN_OUTCOMES = [
  ...(['ok', 'second_step', 'failed'] as const),
  ...(['throttled', 'overloaded', 'unavailable'] as const),
] as const

const BUDGETS = ['pair', 'account', 'source'] as const
const WEBHOOK_OUTCOMES = ['delivered', 'retried', 'failed'] as const

/** Why families ended by an act; those that time has ended are not counted. */
export const FAMILY_END_REASONS = [
  ...(['reuse_detected', 'revoked_by_client', 'revoked_by_user', 'revoked_by_admin'] as const),
  ...(['session_limit', 'password_changed', 'user_disabled', 'user_deleted'] as const),
  ...(['logged_out_everywhere', 'client_sessions_ended'] as const),
] as const

export type Figures = ReturnType<typeof openFigures>

export function openFigures() {
  return { ...openRequestFigures(), ...openDomainFigures(), ...openResourceFigures() }
}

function openRequestFigures() {
  return {
    httpRequests: openHistogram({
      name: 'lineage_http_request_duration_seconds',
      help: 'Requests by route, method and class of status, and how long they took or were waited for.',
      labels: ['route', 'method', 'status_class'],
    }),
    tokenRequests: openCounter({
      name: 'lineage_token_requests_total',
      help: 'Requests for tokens by grant type and outcome: ok or the error code.',
      labels: ['grant', 'outcome'],
    }),
    refreshes: openCounter(
      {
        name: 'lineage_refresh_total',
        help: 'Refreshes by what came of the refresh token.',
        labels: ['outcome'],
      },
      REFRESH_OUTCOMES.map((outcome) => [outcome]),
    ),
    shed: openCounter(
      {
        name: 'lineage_shed_total',
        help: 'Requests for tokens that were turned away, because there were more than can be served.',
        labels: ['class'],
      },
      LOAD_CLASSES.map((loadClass) => [loadClass]),
    ),
    logins: openCounter(
      {
        name: 'lineage_logins_total',
        help: 'Logins of users by outcome; second_step has shown the password and owes a code.',
        labels: ['outcome'],
      },
      LOGIN_OUTCOMES.map((outcome) => [outcome]),
    ),
  }
}

function openDomainFigures() {
  return {
    familyEnds: openCounter(
      {
        name: 'lineage_family_ends_total',
        help: 'Acts that ended families, by reason; one act may end many.',
        labels: ['reason'],
      },
      FAMILY_END_REASONS.map((reason) => [reason]),
    ),
    throttled: openCounter(
      {
        name: 'lineage_throttled_total',
        help: 'Attempts that were refused because a budget of failures is used up.',
        labels: ['budget'],
      },
      BUDGETS.map((budget) => [budget]),
    ),
    signingKeyAge: openGauge(
      {
        name: 'lineage_signing_key_age_seconds',
        help: 'How long ago a signing key was published.',
        labels: ['kid', 'state'],
      },
      'max',
    ),
    eventsWaiting: openGauge(
      { name: 'lineage_events_waiting', help: 'Events that wait to be written.', labels: [] },
      'sum',
    ),
    eventsDropped: openCounter(
      {
        name: 'lineage_events_dropped_total',
        help: 'Events that found no room, or that the database refused.',
        labels: [],
      },
      [[]],
    ),
    webhookDeliveries: openCounter(
      {
        name: 'lineage_webhook_deliveries_total',
        help: 'Attempts to deliver to a webhook: delivered, to be retried, or given up.',
        labels: ['outcome'],
      },
      WEBHOOK_OUTCOMES.map((outcome) => [outcome]),
    ),
    journalReplayed: openCounter(
      {
        name: 'lineage_journal_replayed_total',
        help: 'Entries of the journal that a Redis lacked, and that were applied to it again.',
        labels: [],
      },
      [[]],
    ),
  }
}

function openResourceFigures() {
  return {
    hashingActive: openGauge(
      { name: 'lineage_hashing_active', help: 'Passwords being hashed.', labels: [] },
      'sum',
    ),
    hashingWaiting: openGauge(
      { name: 'lineage_hashing_waiting', help: 'Passwords that wait to be hashed.', labels: [] },
      'sum',
    ),
    hashingWait: openHistogram(
      {
        name: 'lineage_hashing_wait_seconds',
        help: 'How long passwords waited to be hashed, or to be turned away.',
        labels: [],
      },
      [[]],
    ),
    dependencyUp: openGauge(
      {
        name: 'lineage_dependency_up',
        help: 'Whether the dependency answers: 1 or 0.',
        labels: ['dependency'],
      },
      'min',
    ),
    dependencyCalls: openHistogram({
      name: 'lineage_dependency_duration_seconds',
      help: 'Calls to a dependency, failed ones included, and how long they took.',
      labels: ['dependency', 'operation'],
    }),
    connections: openGauge(
      { name: 'lineage_connections', help: 'Open connections of callers.', labels: [] },
      'sum',
    ),
    connectionsDisplaced: openCounter(
      {
        name: 'lineage_connections_displaced_total',
        help: 'Connections that were closed for lack of room: an unused one, or the newcomer.',
        labels: ['which'],
      },
      [['unused'], ['newcomer']],
    ),
    poolConnections: openGauge(
      {
        name: 'lineage_pool_connections',
        help: 'Connections to PostgreSQL: busy and idle ones, and who waits for one.',
        labels: ['state'],
      },
      'sum',
    ),
    poolWait: openHistogram(
      {
        name: 'lineage_pool_wait_seconds',
        help: 'How long whoever found no idle connection waited for one, or to be turned away.',
        labels: [],
      },
      [[]],
    ),
    buildInfo: openGauge(
      {
        name: 'lineage_build_info',
        help: 'Always 1; the labels say what runs.',
        labels: ['version', 'node', 'families'],
      },
      'first',
    ),
  }
}

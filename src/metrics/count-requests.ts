// What one answered request counts as: in its route's histogram, and at /token by its grant and its
// outcome. Everything that becomes a label here is from a bounded set, whatever was sent.

import { knownMethod } from '../ops/known-method.ts'
import { outcomeOf, type Refusal, type RequestEnded } from '../ops/request-line.ts'
import type { Figures, LOGIN_OUTCOMES } from './figures.ts'

type Counted = Pick<Figures, 'httpRequests' | 'tokenRequests' | 'logins'>

const CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']

export interface RequestCountsOptions {
  /** The pattern of the token endpoint, below the path of the issuer. */
  readonly tokenRoute: string
  /** The names of the grants by which a user logs in. */
  readonly loginGrants: ReadonlySet<string>
}

export interface RequestCounts {
  readonly countRequest: RequestEnded
  /** One whose caller hung up before the answer, which has no status then. */
  readonly countAbandoned: (method: string, route: string | undefined, durationMs: number) => void
}

export function openRequestCounts(
  { httpRequests, tokenRequests, logins }: Counted,
  { tokenRoute, loginGrants }: RequestCountsOptions,
): RequestCounts {
  const countAbandoned: RequestCounts['countAbandoned'] = (method, route = 'none', durationMs) =>
    httpRequests.observe(durationMs / 1000, route, knownMethod(method), 'none')

  const countRequest: RequestEnded = (line) => {
    const { route = 'none', method, status, durationMs, clientId, grant, refusal } = line
    httpRequests.observe(
      durationMs / 1000,
      route,
      knownMethod(method),
      CLASSES[Math.floor(status / 100)] ?? 'none',
    )
    if (route !== tokenRoute || method !== 'POST') return
    tokenRequests.add(grant ?? 'none', outcomeOf(line))
    // Without a client it never came to anybody's credentials.
    if (clientId === undefined || grant === undefined || !loginGrants.has(grant)) return
    const outcome = loginOutcomeOf(refusal)
    if (outcome) logins.add(outcome)
  }

  return { countRequest, countAbandoned }
}

type LoginOutcome = (typeof LOGIN_OUTCOMES)[number]

/** Undefined for a request that was refused for what has nothing to do with who logs in. */
function loginOutcomeOf(refusal: Refusal | undefined): LoginOutcome | undefined {
  if (!refusal) return 'ok'
  const { code, reason } = refusal
  if (reason === 'throttled') return 'throttled'
  if (reason === 'login_queue_full' || reason === 'login_queue_timeout') return 'overloaded'
  if (reason === 'database_queue' || reason === 'overloaded') return 'overloaded'
  if (code === 'mfa_required') return 'second_step'
  if (code === 'invalid_grant') return 'failed'
  return code === 'temporarily_unavailable' ? 'unavailable' : undefined
}

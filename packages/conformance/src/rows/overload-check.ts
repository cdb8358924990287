// C22: what a service says when it is asked for more than it can do. Only with --flood.

import { needsUser } from '../check-needs.ts'
import { expect, NotApplicable } from '../conformance-check.ts'
import type { Answer } from '../http-exchange.ts'
import type { TestedService } from '../tested-service.ts'

const REQUESTS = 400
/** Words of stack traces, databases and paths. */
const INTERNALS =
  /\bat \S+ \(|\bnode_modules\b|\bTraceback\b|\bException\b|\bSELECT\b|\bECONN|\.java:/

export async function checkOverload(service: TestedService): Promise<void> {
  const { confidentialClient: client, user } = service.credentials
  const hasUser = needsUser(service) === undefined
  const sender = hasUser ? await service.findLoginClient() : client
  const parameters = hasUser
    ? { grant_type: 'password', username: user?.username, password: 'conformance' }
    : { grant_type: 'client_credentials' }
  // A connection that is cut gives no answer to look at, and is left out.
  const send = () => service.post('token', parameters, sender).catch(() => undefined)
  const answers = await Promise.all(Array.from({ length: REQUESTS }, send))
  const refusals = answers.filter(
    (answer): answer is Answer =>
      answer !== undefined && (answer.status === 429 || answer.status >= 500),
  )
  if (refusals.length === 0) {
    throw new NotApplicable(`none of ${REQUESTS} requests at once was answered with 429 or a 5xx`)
  }
  for (const { status, headers, json, text } of refusals) {
    expect(!INTERNALS.test(text), `a ${status} tells internals`)
    if (status !== 429 && status !== 503) continue
    expect(headers['retry-after'] !== undefined, `a ${status} has no Retry-After`)
    expect(typeof json.error === 'string', `a ${status} is no error in JSON`)
    const isNotStored = (headers['cache-control'] ?? '').toLowerCase().includes('no-store')
    expect(isNotStored, `a ${status} lacks Cache-Control: no-store`)
  }
}

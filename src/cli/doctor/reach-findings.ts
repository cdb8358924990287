// What `lineage doctor --url` says of what can be reached at the public address: nothing that is for operators,
// every method, bodies up to their bounds, over connections that are kept; and of the clock there.

import { type AddressScene, isProblem, memberOfBody } from './address-scene.ts'
import { checkClock } from './clock-finding.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const OPERATIONS = 'operations paths'
const METHODS = 'methods'
const BODIES = 'bodies'
const CONNECTIONS = 'kept connections'
const CLOCK = 'clock of the address'
/** Below the 16 KiB that a form may have. */
const BODY_LENGTH = 15_000

export async function examineReach(scene: AddressScene): Promise<Finding[]> {
  return [
    await examineOperations(scene),
    await examineMethods(scene),
    await examineBodies(scene),
    await examineConnection(scene),
    await examineClock(scene),
  ]
}

async function examineOperations({ address, config }: AddressScene): Promise<Finding> {
  const metrics = await address.ask({ path: '/metrics', isAtRoot: true })
  const admin = await address.ask({ path: '/admin/users?limit=1' })
  const ready = await address.ask({ path: '/readyz', isAtRoot: true })
  const live = await address.ask({ path: '/livez', isAtRoot: true })
  const open = [
    ...(metrics.body.includes('lineage_') ? ['/metrics'] : []),
    ...(admin.status === 401 && isProblem(admin) ? ['/admin'] : []),
    ...(memberOfBody(ready, 'status') !== undefined && ready.status !== 404 ? ['/readyz'] : []),
    ...(live.status === 200 && memberOfBody(live, 'status') === 'ok' ? ['/livez'] : []),
  ]
  const advice =
    config.opsPort === undefined
      ? 'set LINEAGE_OPS_PORT, which moves them to a port of their own, or block them in the proxy'
      : 'let the proxy lead to PORT alone, not to LINEAGE_OPS_PORT'
  if (open.length === 0) return ok(OPERATIONS, 'none can be reached from outside')
  const detail = `to be reached from outside: ${open.join(', ')}`
  return open.includes('/metrics')
    ? fail(OPERATIONS, detail, advice)
    : warn(OPERATIONS, detail, advice)
}

/** A preflight of a browser, which any origin may send for the JWKS; and a method that it does not have. */
async function examineMethods({ address }: AddressScene): Promise<Finding> {
  const path = '/.well-known/jwks.json'
  const origin = 'https://doctor.invalid'
  const asked = { origin, 'access-control-request-method': 'GET' }
  const preflight = await address.ask({ path, method: 'OPTIONS', headers: asked })
  const plain = await address.ask({ path, headers: { origin } })
  const removed = await address.ask({ path, method: 'DELETE' })
  const allowed = plain.headers['access-control-allow-origin']
  const faults = [
    ...(preflight.status === 204 && preflight.headers['access-control-allow-methods']
      ? []
      : [`OPTIONS is answered ${preflight.status} by somebody else`]),
    ...(allowed === '*' ? [] : [`Access-Control-Allow-Origin is "${allowed ?? ''}", not "*"`]),
    ...(removed.status === 405 && removed.headers.allow
      ? []
      : [`DELETE is answered ${removed.status} by somebody else`]),
  ]
  return faults.length === 0
    ? ok(METHODS, 'OPTIONS and DELETE reach the service, and its CORS headers come back')
    : warn(METHODS, faults.join('; '), 'pass every method on, and add no CORS headers to ours')
}

async function examineBodies({ address }: AddressScene): Promise<Finding> {
  const form = `doctor=${'a'.repeat(BODY_LENGTH)}`
  const answer = await address.ask({ path: '/token', form })
  return memberOfBody(answer, 'error') === 'invalid_request' && answer.status === 400
    ? ok(BODIES, `a form of ${BODY_LENGTH} bytes arrives`)
    : warn(
        BODIES,
        `a form of ${BODY_LENGTH} bytes is answered ${answer.status} by somebody else`,
        'let bodies of 64 KiB through: assertions and the lists of clients are that long',
      )
}

async function examineConnection({ address }: AddressScene): Promise<Finding> {
  await address.ask({ path: '/.well-known/jwks.json' })
  const { isReused } = await address.ask({ path: '/.well-known/jwks.json' })
  return isReused
    ? ok(CONNECTIONS, 'a second request goes over the same one')
    : warn(
        CONNECTIONS,
        'the proxy ends each connection after one answer',
        'keep them alive: with TLS a new one costs more than the request',
      )
}

/** A proxy that ends TLS mostly says its own time. It is told in whole seconds. */
async function examineClock({ address, clock }: AddressScene): Promise<Finding> {
  const aheadMs = clock() - Date.now()
  const { headers, sentAtMs, answeredAtMs } = await address.ask({ path: '/.well-known/jwks.json' })
  const saidMs = Date.parse(headers.date ?? '')
  if (Number.isNaN(saidMs)) return warn(CLOCK, 'there is no Date', 'let the proxy send one')
  const [fromMs, toMs] = [sentAtMs + aheadMs, answeredAtMs + aheadMs]
  const theirMs = Math.min(Math.max(saidMs, fromMs), saidMs + 999)
  return checkClock(CLOCK, 'the address', [fromMs, theirMs, toMs])
}

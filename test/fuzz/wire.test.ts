// The inputs of the parsers as a caller sends them, and requests of which any bytes are other ones: each is
// answered with a status that the service has for it, or the connection is ended; never by a failure.

import { test } from 'tap'
import { API_ERRORS } from '../../src/http/server/api-error.ts'
import { OAUTH_ERRORS } from '../../src/oauth/oauth-error.ts'
import { startApp } from '../support/app.ts'
import { exchange, FORM, JSON_TYPE, write } from '../support/hostile-wire.ts'
import { runSize } from '../support/run-size.ts'
import { until } from '../support/until.ts'
import { headerOf } from './fuzz-target.ts'
import { readInputs } from './inputs.ts'
import { mutate } from './mutate.ts'
import { openRandom } from './random.ts'
import { TARGETS } from './targets.ts'

const REQUESTS = runSize(300, 20_000)
const SEED = 1

/** By the name of a target: where its inputs stand in a request. */
const PLACES: Readonly<Record<string, (input: Buffer) => Buffer>> = {
  form: (input) => write('POST /token', [FORM], input),
  scope: inForm('grant_type=client_credentials&scope='),
  resource: inForm('grant_type=client_credentials&resource='),
  demands: inTarget,
  'request-target': inTarget,
  basic: inHeader('POST /token', 'Authorization'),
  bearer: inHeader('GET /users/me', 'Authorization'),
  cookies: inHeader('GET /verify?cookie=1', 'Cookie'),
  'refresh-token': inForm('grant_type=refresh_token&refresh_token='),
  'mfa-token': inForm('grant_type=mfa_otp&mfa_token='),
  jwt: inForm(
    'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=',
  ),
  dpop: inHeader('POST /token', 'DPoP'),
  'client-cert': inHeader('POST /token', 'Client-Cert'),
  'ip-address': inHeader('POST /token', 'Lineage-Client-IP'),
  'forwarded-for': inHeader('POST /token', 'X-Forwarded-For'),
  'trace-headers': inHeader('GET /livez', 'traceparent'),
  'header-demands': inHeader('GET /verify/a', 'X-Auth-Require-Scope'),
  'entity-tags': inHeader('GET /.well-known/jwks.json', 'If-None-Match'),
  'list-query': (input) => inTarget(Buffer.from(`/admin/users?${input.toString('latin1')}`)),
  'strict-json': (input) => write('POST /users', [JSON_TYPE], input),
  'user-line': (input) => write('POST /users', [JSON_TYPE], input),
}

function inHeader(start: string, name: string) {
  return (input: Buffer) => write(start, [FORM, `${name}: ${headerOf(input)}`], '')
}

function inForm(before: string) {
  return (input: Buffer) =>
    write('POST /token', [FORM], `${before}${encodeURIComponent(input.toString())}`)
}

function inTarget(input: Buffer): Buffer {
  return write(`GET ${input.toString('latin1').replaceAll(/[^\x21-\x7e]/g, '')}`)
}

const STATUSES = new Set([
  ...[200, 201, 204, 304],
  ...Object.values(API_ERRORS).map(({ status }) => status),
  ...Object.values(OAUTH_ERRORS).map(({ status }) => status),
])

test('every input of the parsers is answered, and so is any other request', async (t) => {
  const app = await startApp(t, {
    config: { registration: 'open', throttle: 'off', trustProxy: ['127.0.0.0/8'] },
  })
  const seen = new Set<number>()
  /** A busy machine keeps a store from answering in time: what the input has caused happens again. */
  async function ask(request: Buffer) {
    return await until('another answer than 503', async () => {
      const answers = await exchange(app.url, request, { isAll: true })
      return answers.every(({ status }) => status !== 503) && answers
    })
  }
  async function send(request: Buffer, what: string): Promise<void> {
    for (const { status } of await ask(request)) {
      seen.add(status)
      const isDocumented = STATUSES.has(status) && status < 500
      if (!isDocumented)
        t.fail(`${what}: ${status} for ${JSON.stringify(request.toString('latin1'))}`)
    }
  }

  const requests = TARGETS.flatMap(({ name }) => {
    const place = PLACES[name]
    const inputs = place ? [...readInputs('corpus', name), ...readInputs('cases', name)] : []
    return inputs.map((input) => ({ name, request: place?.(input) ?? input }))
  })
  t.ok(requests.length > 100, 'there are inputs')
  for (const { name, request } of requests) await send(request, name)

  const random = openRandom(SEED)
  const others = requests.map(({ request }) => request)
  const tokens = TARGETS.flatMap((target) => target.tokens).map((text) => Buffer.from(text))
  for (let count = 0; count < REQUESTS; count += 1) {
    const request = mutate(random.pick(others) ?? Buffer.alloc(0), random, {
      tokens: [...tokens, Buffer.from('\r\n'), Buffer.from('Transfer-Encoding: chunked\r\n')],
      others,
      lengthMax: 8_192,
    })
    await send(request, 'another request')
  }
  t.comment(`statuses: ${[...seen].sort().join(' ')}`)
  t.ok(
    [200, 400, 401, 404].every((status) => seen.has(status)),
    'it came somewhere',
  )
  t.equal((await app.fetch('/readyz')).status, 200, 'and the service lives')
  const failed = app.log.filter(({ event, status }) => event === 'request.failed' && status !== 503)
  t.strictSame(failed, [], 'nothing failed')
})

// What a request for a token survives, and what it never does: repeat a refusal, wait without end, follow
// a redirect, believe a stranger.

import { test } from 'tap'
import { createTokenClient, type TokenClientOptions } from '../src/token-client.ts'
import { answerJson, issueTokens, type Script, startScriptedIssuer } from './scripted-issuer.ts'
import { createSteppedClock } from './stepped-clock.ts'

const AUTH = { method: 'client_secret_basic', secret: 'secret' } as const
/** Long enough on any machine, for what comes at once. */
const SHORT_MS = 200

async function open(
  t: Parameters<typeof startScriptedIssuer>[0],
  script: Script,
  more: Partial<TokenClientOptions> = {},
) {
  const issuer = await startScriptedIssuer(t, script)
  const clock = createSteppedClock()
  const { tokenEndpoint } = issuer
  const client = createTokenClient({ tokenEndpoint, clientId: 'c', auth: AUTH, clock, ...more })
  return { issuer, clock, client }
}

function unavailable(status: number, headers: Record<string, string>): Script {
  return (_, response) =>
    answerJson(response, status, { error: 'temporarily_unavailable' }, headers)
}

for (const status of [503, 429]) {
  test(`${status} is repeated after Retry-After, and not before`, async (t) => {
    const { issuer, clock, client } = await open(t, (request, response, number) => {
      const script = number < 3 ? unavailable(status, { 'retry-after': '2' }) : issueTokens()
      return script(request, response, number)
    })
    t.equal((await client.clientCredentials()).accessToken, 'token-3')
    t.strictSame(clock.slept, [2_000, 2_000])
    t.equal(issuer.requests.length, 3)
  })
}

test('a date in Retry-After is read, and a long one is not waited for', async (t) => {
  const { clock, client, issuer } = await open(t, (request, response, number) => {
    const date = new Date(Date.now() + 60_000).toUTCString()
    return unavailable(503, { 'retry-after': date })(request, response, number)
  })
  const error = await client.clientCredentials().catch((found) => found)
  t.match(error, { error: 'temporarily_unavailable', status: 503 })
  t.ok(error.retryAfterSeconds > 50 && error.retryAfterSeconds <= 60)
  t.strictSame([clock.slept, issuer.requests.length], [[], 1])
})

test('no answer is repeated twice, further and further apart', async (t) => {
  const { clock, client, issuer } = await open(t, (_, response) => void response.destroy())
  await t.rejects(client.clientCredentials(), { code: 'network' })
  t.strictSame([clock.slept, issuer.requests.length], [[50, 100], 3])
})

test('a budget bounds what is repeated, however many ask', async (t) => {
  const { clock, client, issuer } = await open(t, (_, response) => void response.destroy())
  for (let i = 0; i < 50; i += 1) await t.rejects(client.clientCredentials(), { code: 'network' })
  t.equal(issuer.requests.length, 50 + 10, 'ten repetitions for all of them')
  clock.step(6_000)
  await t.rejects(client.clientCredentials())
  t.equal(issuer.requests.length, 62, 'and then one more in six seconds')
})

test('a refusal is never repeated', async (t) => {
  for (const [status, error] of [
    [400, 'invalid_grant'],
    [401, 'invalid_client'],
    [400, 'invalid_scope'],
  ] as const) {
    const script: Script = (_, response) => answerJson(response, status, { error })
    const { client, issuer } = await open(t, script)
    await t.rejects(client.refresh('r'), { name: 'OAuthResponseError', error, status })
    t.equal(issuer.requests.length, 1, error)
  }
})

test('what hangs, grows, redirects or is no token ends as an error', async (t) => {
  const hangs = await open(t, () => {}, { timeoutMs: SHORT_MS })
  await t.rejects(hangs.client.clientCredentials(), { code: 'timeout' })
  const stalls = await open(t, (_, response) => void response.write('{'), { timeoutMs: SHORT_MS })
  await t.rejects(stalls.client.clientCredentials(), { code: 'timeout' })
  const deaf = await open(t, () => {}, { timeoutMs: SHORT_MS, fetch: () => new Promise(() => {}) })
  await t.rejects(deaf.client.clientCredentials(), { code: 'timeout' })

  const bad: Record<string, Script> = {
    'too large': (_, response) => {
      const more = () => {
        while (response.write('x'.repeat(16_384)));
      }
      response.on('drain', more)
      more()
    },
    'a redirect': (_, response) => void response.writeHead(307, { location: '/other' }).end(),
    'no JSON': (_, response) => void response.end('<html>'),
    'a list': (_, response) => answerJson(response, 200, []),
    'no token': (_, response) => answerJson(response, 200, { token_type: 'Bearer' }),
    'another type': issueTokens({ token_type: 'mac' }),
    'a refusal that is none': (_, response) => answerJson(response, 400, { error: 7 }),
  }
  for (const [what, script] of Object.entries(bad)) {
    const { client, issuer } = await open(t, script)
    await t.rejects(client.clientCredentials(), { code: 'invalid_answer' }, what)
    t.equal(issuer.requests.length, 1, what)
  }
})

test('a bearer token in place of a bound one is refused (RFC 9449 §5)', async (t) => {
  const { client } = await open(t, issueTokens(), { dpop: true })
  await t.rejects(client.clientCredentials(), { code: 'invalid_answer' })
})

test('a secret goes over https, or within this machine', async (t) => {
  for (const tokenEndpoint of [
    'http://auth.example.test/token',
    'https://u:p@auth.example.test/',
  ]) {
    const make = () => createTokenClient({ tokenEndpoint, clientId: 'c', auth: AUTH })
    t.throws(make, { code: 'insecure_url' })
  }
  const given = { clientId: 'c', auth: AUTH, allowInsecureHttp: true }
  t.ok(createTokenClient({ tokenEndpoint: 'http://auth.mesh.test/token', ...given }))
})

test('metadata is of the issuer that was asked (RFC 8414 §3.3), kept, and used on in an outage', async (t) => {
  const issuer = await startScriptedIssuer(t, () => {})
  const metadata = { issuer: `${issuer.url}/a`, token_endpoint: issuer.tokenEndpoint }
  const serve = (document: object): Script => {
    return (request, response, number) =>
      request.path === '/token'
        ? issueTokens()(request, response, number)
        : answerJson(response, 200, document)
  }
  const clock = createSteppedClock()
  const client = createTokenClient({ issuer: `${issuer.url}/a`, clientId: 'c', auth: AUTH, clock })
  const paths = () => issuer.requests.splice(0).map(({ path }) => path)
  const wellKnown = '/.well-known/oauth-authorization-server/a'

  issuer.script = serve({ ...metadata, issuer: issuer.url })
  await t.rejects(client.clientCredentials(), { code: 'metadata' })
  issuer.script = serve({ ...metadata, token_endpoint: 'http://auth.example.test/token' })
  await t.rejects(client.clientCredentials(), { code: 'insecure_url' })
  issuer.script = serve({ ...metadata, token_endpoint: undefined })
  await t.rejects(client.clientCredentials(), { code: 'metadata' })
  t.strictSame(paths(), [wellKnown, wellKnown, wellKnown])
  issuer.script = serve(metadata)
  await Promise.all([client.clientCredentials(), client.clientCredentials()])
  t.strictSame(paths(), [wellKnown, '/token', '/token'])
  clock.step(3_600_001)
  issuer.script = (request, response, number) =>
    request.path === '/token' ? issueTokens()(request, response, number) : void response.destroy()
  await client.clientCredentials()
  await client.clientCredentials()
  t.strictSame(paths(), [wellKnown, '/token', '/token'])
})

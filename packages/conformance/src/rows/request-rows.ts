// C1 to C9: what the token endpoint makes of a request before it looks at anyone's credentials. The
// doubles of C3 and the hostile bodies of C9 stand in files of their own.

import { needsClient, needsGrant } from '../check-needs.ts'
import { basicCredentials } from '../client-login.ts'
import { type Check, expect, NotApplicable } from '../conformance-check.ts'
import { expectError, expectRefused, expectSuccess, hasSameScope } from '../expect-answer.ts'
import { endpointOf, postBody, settle } from '../form-request.ts'
import { describeAnswer, type TestedService, textOf } from '../tested-service.ts'
import { checkGrantTypes } from './grant-type-checks.ts'
import { checkHostileBodies } from './hostile-bodies.ts'
import { checkQueryParameters } from './query-parameters.ts'
import { checkRepeatedParameters } from './repeated-parameters.ts'

const CLIENT_TOKEN = [needsClient, needsGrant('client_credentials')]
const GRANT = { grant_type: 'client_credentials' }

export const REQUEST_ROWS: readonly Check[] = [
  {
    row: 'C1',
    level: 'MUST',
    sentence: 'The token endpoint takes POST only and refuses GET.',
    needs: CLIENT_TOKEN,
    run: checkMethods,
  },
  {
    row: 'C2',
    level: 'MUST',
    sentence: 'Every endpoint is served over TLS, and over nothing else.',
    needs: [],
    run: checkTls,
  },
  {
    row: 'C3',
    level: 'MUST',
    sentence:
      'A repeated parameter is refused at the token, revocation and introspection endpoints.',
    needs: CLIENT_TOKEN,
    run: checkRepeatedParameters,
  },
  {
    row: 'C4',
    level: 'MUST',
    sentence: 'A parameter with an empty value counts as absent.',
    needs: CLIENT_TOKEN,
    run: checkEmptyValues,
  },
  {
    row: 'C5',
    level: 'MUST',
    sentence: 'Unknown parameters are ignored.',
    needs: CLIENT_TOKEN,
    async run(service) {
      const unknown = { conformance_unknown: 'x', 'conformance[a]': '', conformance_unknown2: 'ü' }
      await service.issueToClient()
      const answer = await service.post(
        'token',
        { ...GRANT, ...unknown },
        service.credentials.confidentialClient,
      )
      expectSuccess(answer, 'a token request with unknown parameters')
    },
  },
  {
    row: 'C6',
    level: 'MUST',
    sentence: 'The body is a form in UTF-8, with a charset or without; JSON is refused.',
    needs: CLIENT_TOKEN,
    run: checkMediaTypes,
  },
  {
    row: 'C7',
    level: 'MUST',
    sentence: 'Credentials, refresh tokens and passwords in the query string are of no use.',
    needs: CLIENT_TOKEN,
    run: checkQueryParameters,
  },
  {
    row: 'C8',
    level: 'MUST',
    sentence: 'A grant type that is missing, unknown or not allowed is refused by the right code.',
    needs: [needsClient],
    run: checkGrantTypes,
  },
  {
    row: 'C9',
    level: 'SHOULD',
    sentence: 'Large bodies, deep names, prototype names and bad encodings do no harm.',
    needs: CLIENT_TOKEN,
    run: checkHostileBodies,
  },
]

async function checkMethods(service: TestedService): Promise<void> {
  await service.issueToClient()
  const client = service.credentials.confidentialClient
  const url = endpointOf(service, 'token')
  const inQuery = await postBody(service, 'token', {
    body: 'grant_type=client_credentials',
    client,
  })
  expectSuccess(inQuery, 'a POST')
  const { secret = '', id = '' } = client ?? {}
  const headers = [['Authorization', basicCredentials(id, secret)]] as const
  const target = `${url}${url.includes('?') ? '&' : '?'}grant_type=client_credentials`
  for (const method of ['GET', 'HEAD', 'PUT', 'PATCH']) {
    const answer = await service.send(target, { method, headers })
    expectRefused(answer, method)
    // RFC 9110 §15.5.6; a 404 hides the method as well.
    if (answer.status === 405) {
      const allowed = (answer.headers.allow ?? '').split(/\s*,\s*/)
      expect(allowed.includes('POST'), `the 405 of ${method} names no POST in Allow`)
    }
  }
}

async function checkTls(service: TestedService): Promise<void> {
  const { issuer, metadata } = service
  const urls = [
    ['issuer', issuer],
    ...Object.entries(metadata).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name)),
  ].map(([name, value]) => [String(name), new URL(String(value))] as const)
  for (const [name, url] of urls) {
    const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
    expect(url.protocol === 'https:' || isHere, `${name} is not https`)
  }
  const url = new URL(endpointOf(service, 'token'))
  if (url.protocol !== 'https:') throw new NotApplicable('it is reached over a loopback address')
  url.protocol = 'http:'
  // Nothing secret: whoever answers this as a token endpoint would answer all the rest.
  const answer = await settle(
    service.send(url.href, {
      body: 'grant_type=client_credentials',
      headers: [['Content-Type', 'application/x-www-form-urlencoded']],
    }),
  )
  const code = textOf(answer?.json.error)
  const isServed =
    answer?.status === 200 || ['invalid_client', 'unauthorized_client'].includes(`${code}`)
  expect(!isServed, `plain HTTP is served: ${answer ? describeAnswer(answer) : ''}`)
}

/** With an empty value and without the parameter the answer is the same. */
async function checkEmptyValues(service: TestedService): Promise<void> {
  await service.issueToClient()
  const client = service.credentials.confidentialClient
  const cases = [
    ['grant_type', {}],
    ['scope', GRANT],
    ['conformance_unknown', GRANT],
    ['refresh_token', { grant_type: 'refresh_token' }],
    ['username', { grant_type: 'password', password: 'conformance' }],
    ['password', { grant_type: 'password', username: 'conformance' }],
  ] as const
  for (const [name, rest] of cases) {
    const absent = await service.post('token', rest, client)
    const empty = await service.post('token', { ...rest, [name]: '' }, client)
    const isSame =
      absent.status === empty.status &&
      absent.json.error === empty.json.error &&
      hasSameScope(absent.json.scope, empty.json.scope)
    expect(
      isSame,
      `an empty ${name} was answered with ${describeAnswer(empty)}, none with ${describeAnswer(absent)}`,
    )
  }
  if (!service.endpoint('introspection')) return
  const answer = await service.post('introspection', { token: '' }, client)
  expectRefused(answer, 'an introspection of an empty token')
}

async function checkMediaTypes(service: TestedService): Promise<void> {
  await service.issueToClient()
  const client = service.credentials.confidentialClient
  const { scope } = service.credentials
  const form = new URLSearchParams({ ...GRANT, ...(scope && { scope }) }).toString()
  for (const charset of [';charset=UTF-8', '; charset=utf-8']) {
    const contentType = `application/x-www-form-urlencoded${charset}`
    const answer = await postBody(service, 'token', { body: form, contentType, client })
    expectSuccess(answer, `a form with \`${charset}\``)
  }
  const escaped = 'grant_type=client%5fcredential%73&conformance_unknown=%C3%BC+%E2%82%AC'
  expectSuccess(await postBody(service, 'token', { body: escaped, client }), 'an escaped form')
  const request = { body: JSON.stringify({ ...GRANT, scope }), contentType: 'application/json' }
  const json = await postBody(service, 'token', { ...request, client })
  expectRefused(json, 'a body in JSON')
  expectError(await service.post('token', {}, client), 'invalid_request', 'an empty form')
}

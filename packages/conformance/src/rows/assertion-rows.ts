// C31 to C36: clients that prove themselves by a key (private_key_jwt).

import {
  ASSERTION_TYPE,
  type AssertionClaims,
  assertionClientOf,
  goodClaims,
  isAuthenticated,
  needsAssertions,
  postAssertion,
  requireGoodAssertion,
  signAssertion,
} from '../client-assertion.ts'
import { type Check, expect } from '../conformance-check.ts'
import { expectError } from '../expect-answer.ts'
import { postPairs } from '../form-request.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'
import { forgeAssertions } from './forged-assertions.ts'

const HOUR_SECONDS = 3600
/** Past every tolerance for clocks, and still within the life that services allow an assertion. */
const SOON_SECONDS = 240
const MONTH_SECONDS = 30 * 24 * HOUR_SECONDS
const nowSeconds = () => Math.floor(Date.now() / 1000)

export const ASSERTION_ROWS: readonly Check[] = [
  {
    row: 'C31',
    level: 'SHOULD',
    sentence: 'A client may prove itself by a key, and then by nothing else.',
    needs: [needsAssertions],
    run: checkMethodList,
  },
  {
    row: 'C32',
    level: 'MUST',
    sentence: 'An assertion names the client twice and this server, and has not expired.',
    needs: [needsAssertions],
    run: (service) =>
      refuseClaims(service, [
        ['another iss', { iss: 'conformance' }],
        ['no iss', { iss: undefined }],
        ['another sub', { sub: 'conformance' }],
        ['no sub', { sub: undefined }],
        ['no aud', { aud: undefined }],
        ['no exp', { exp: undefined }],
        ['an exp of an hour ago', { exp: nowSeconds() - HOUR_SECONDS, iat: undefined }],
      ]),
  },
  {
    row: 'C33',
    level: 'MUST',
    sentence: 'An assertion made for another server is refused.',
    needs: [needsAssertions],
    run: (service) =>
      refuseClaims(service, [
        ['the aud of another server', { aud: 'https://other.example' }],
        ['an aud that begins as the issuer does', { aud: `${service.issuer}.other.example` }],
        ['the aud of two other servers', { aud: ['https://a.example', 'https://b.example'] }],
        ['an empty aud', { aud: '' }],
        ['the client as aud', { aud: assertionClientOf(service).id }],
      ]),
  },
  {
    row: 'C34',
    level: 'MUST',
    sentence: 'An assertion is signed by the key and the algorithm that the client has registered.',
    needs: [needsAssertions],
    async run(service) {
      await requireGoodAssertion(service)
      for (const { name, token } of await forgeAssertions(service)) {
        const answer = await postAssertion(service, token)
        expectError(answer, 'invalid_client', `an assertion with ${name}`)
      }
      const malformed = await postAssertion(service, 'conformance')
      const codes = ['invalid_client', 'invalid_request']
      expectError(malformed, codes, 'an assertion that is no JWT')
      await requireGoodAssertion(service)
    },
  },
  {
    row: 'C35',
    level: 'SHOULD',
    sentence: 'An assertion is good once, not before its time and not for ever.',
    needs: [needsAssertions],
    run: checkAssertionTimes,
  },
  {
    row: 'C36',
    level: 'MUST',
    sentence: 'client_assertion_type is exact, and there is one client_assertion.',
    needs: [needsAssertions],
    run: checkAssertionParameters,
  },
]

/** Each of these, in an assertion that is good otherwise, makes it a bad one. */
async function refuseClaims(
  service: TestedService,
  cases: readonly (readonly [what: string, claims: AssertionClaims])[],
): Promise<void> {
  await requireGoodAssertion(service)
  for (const [what, claims] of cases) {
    const all = { ...goodClaims(service), ...claims }
    const assertion = await signAssertion(assertionClientOf(service), all)
    const answer = await postAssertion(service, assertion)
    // The id of the client stands beside it, so that another sub is a contradiction, too.
    const codes = 'sub' in claims ? ['invalid_client', 'invalid_request'] : 'invalid_client'
    expectError(answer, codes, `an assertion with ${what}`)
  }
  await requireGoodAssertion(service)
}

async function checkMethodList(service: TestedService): Promise<void> {
  await requireGoodAssertion(service)
  const { id } = assertionClientOf(service)
  const grant = { grant_type: 'client_credentials' }
  for (const authMethod of ['client_secret_basic', 'client_secret_post'] as const) {
    const answer = await service.post('token', grant, { id, secret: 'conformance', authMethod })
    expectError(answer, 'invalid_client', `${authMethod} of a client with a key`)
  }
  const alone = await service.post('token', grant, { id })
  expectError(alone, ['invalid_client', 'invalid_request'], 'the id alone of a client with a key')
}

async function checkAssertionTimes(service: TestedService): Promise<void> {
  const now = nowSeconds()
  await refuseClaims(service, [
    ['an nbf to come', { nbf: now + SOON_SECONDS, exp: now + SOON_SECONDS + 50 }],
    ['an iat to come', { iat: now + SOON_SECONDS, exp: now + SOON_SECONDS + 50 }],
    ['two months to live', { iat: now - MONTH_SECONDS, exp: now + MONTH_SECONDS }],
  ])
  const assertion = await signAssertion(assertionClientOf(service), goodClaims(service))
  const first = await postAssertion(service, assertion)
  expect(isAuthenticated(first), `a good assertion was answered with ${describeAnswer(first)}`)
  const second = await postAssertion(service, assertion)
  expectError(second, 'invalid_client', 'an assertion that was used before')
}

async function checkAssertionParameters(service: TestedService): Promise<void> {
  await requireGoodAssertion(service)
  const sign = () => signAssertion(assertionClientOf(service), goodClaims(service))
  const codes = ['invalid_client', 'invalid_request']
  const types = [
    'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    `${ASSERTION_TYPE}x`,
    ASSERTION_TYPE.toUpperCase(),
  ]
  for (const type of types) {
    const answer = await postAssertion(service, await sign(), [['client_assertion_type', type]])
    expectError(answer, codes, 'another client_assertion_type')
  }
  expectError(await postAssertion(service, await sign(), []), codes, 'no client_assertion_type')
  const twice = await postAssertion(service, await sign(), [
    ['client_assertion_type', ASSERTION_TYPE],
    ['client_assertion', await sign()],
  ])
  expectError(twice, codes, 'two assertions')
  const none = await postPairs(service, 'token', [
    ['grant_type', 'client_credentials'],
    ['client_id', assertionClientOf(service).id],
    ['client_assertion_type', ASSERTION_TYPE],
  ])
  expectError(none, codes, 'a client_assertion_type alone')
}

// C17 to C23: how the token endpoint says no.

import { needsClient, needsFlood, needsUser } from '../check-needs.ts'
import { type Check, expect } from '../conformance-check.ts'
import { expectError } from '../expect-answer.ts'
import { postBody } from '../form-request.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'
import { checkInvalidGrants } from './invalid-grants.ts'
import { checkLoginOracle } from './login-oracle.ts'
import { checkOverload } from './overload-check.ts'
import { collectErrors, MARKER } from './sample-errors.ts'

const UNKNOWN_SCOPE = 'conformance:unknown'

export const ERROR_ROWS: readonly Check[] = [
  {
    row: 'C17',
    level: 'MUST',
    sentence: 'Every error but that of client authentication has the status 400.',
    needs: [needsClient],
    async run(service) {
      for (const [what, answer] of await collectErrors(service)) {
        const isClientError = answer.json.error === 'invalid_client'
        expect(typeof answer.json.error === 'string', `the refusal of ${what} names no error`)
        const isRight = answer.status === 400 || (isClientError && answer.status === 401)
        expect(isRight, `${what} was answered with ${describeAnswer(answer)}`)
      }
    },
  },
  {
    row: 'C18',
    level: 'MUST',
    sentence: 'Failed client authentication by a header is 401 with a challenge of its scheme.',
    needs: [],
    run: checkClientFailures,
  },
  {
    row: 'C19',
    level: 'MUST',
    sentence: 'Errors keep to the characters that are allowed, and repeat nothing that was sent.',
    needs: [needsClient],
    run: checkErrorWords,
  },
  {
    row: 'C20',
    level: 'MUST',
    sentence: 'Bad user credentials and bad refresh tokens are invalid_grant with the status 400.',
    needs: [needsClient],
    run: checkInvalidGrants,
  },
  {
    row: 'C21',
    level: 'MUST',
    sentence: 'A scope wider than the one that was granted is invalid_scope.',
    needs: [needsUser],
    async run(service) {
      const tokens = await service.logIn()
      const granted = typeof tokens.answer.json.scope === 'string' ? tokens.answer.json.scope : ''
      const { wideScope } = service.credentials
      const wider = [`${granted} ${UNKNOWN_SCOPE}`.trim(), UNKNOWN_SCOPE]
      const isWider = wideScope?.split(' ').some((word) => !granted.split(' ').includes(word))
      for (const scope of wideScope && isWider ? [...wider, wideScope] : wider) {
        const answer = await service.refresh(tokens, { scope })
        expectError(answer, 'invalid_scope', 'a refresh with a wider scope')
      }
    },
  },
  {
    row: 'C22',
    level: 'SHOULD',
    sentence:
      '429 and 503 say when to come back, in JSON that nobody caches; no 5xx tells internals.',
    needs: [needsFlood, needsClient],
    floodTurn: 3,
    run: checkOverload,
  },
  {
    row: 'C23',
    level: 'SHOULD',
    sentence: 'An unknown user, a wrong password and a disabled user get one and the same answer.',
    needs: [needsUser],
    run: checkLoginOracle,
  },
]

async function checkClientFailures(service: TestedService): Promise<void> {
  const id = service.credentials.confidentialClient?.id
  for (const clientId of new Set([id ?? 'conformance-nobody', 'conformance-nobody'])) {
    const wrong = {
      id: clientId,
      secret: 'conformance',
      authMethod: 'client_secret_basic',
    } as const
    const answer = await service.post('token', { grant_type: 'client_credentials' }, wrong)
    expectError(answer, 'invalid_client', 'a wrong secret by Basic')
    expect(answer.status === 401, `a wrong secret by Basic gave the status ${answer.status}`)
    const challenge = answer.headers['www-authenticate'] ?? ''
    expect(/(^|,)\s*basic(\s|$)/i.test(challenge), 'the 401 has no challenge for Basic')
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: 'conformance',
    }).toString()
    expectError(
      await postBody(service, 'token', { body }),
      'invalid_client',
      'a wrong secret in the body',
    )
  }
}

async function checkErrorWords(service: TestedService): Promise<void> {
  for (const [what, { json, text }] of await collectErrors(service)) {
    for (const name of ['error', 'error_description'] as const) {
      const value = json[name]
      if (value === undefined && name === 'error_description') continue
      const isPlain = typeof value === 'string' && /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(value)
      expect(isPlain, `${name} of ${what} has characters that are not allowed`)
    }
    const uri = json.error_uri
    const isUri = typeof uri === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(uri)
    expect(uri === undefined || isUri, `error_uri of ${what} has characters that are not allowed`)
    expect(!text.includes(MARKER), `the error for ${what} repeats what was sent`)
  }
}

// C39 to C45: the password grant, where a service still has it.

import { needsFlood, needsGrant, needsUser } from '../check-needs.ts'
import { type Check, expect, NotApplicable } from '../conformance-check.ts'
import { expectError, expectRefused, expectSuccess } from '../expect-answer.ts'
import { settle } from '../form-request.ts'
import { describeAnswer, type TestedService } from '../tested-service.ts'
import { expectThrottled } from '../throttling.ts'
import { compareTimes } from '../timing.ts'
import { checkOddPasswords } from './odd-passwords.ts'

const GUESSES = 100
const TIMED_LOGINS = 100

export const PASSWORD_ROWS: readonly Check[] = [
  {
    row: 'C39',
    level: 'MUST',
    sentence:
      'The password grant is off unless the metadata lists it, and then for chosen clients only.',
    needs: [],
    run: checkOptIn,
  },
  {
    row: 'C40',
    level: 'MUST',
    sentence:
      'A login needs a username, a password and the authentication of a confidential client.',
    needs: [needsUser],
    run: checkLoginParameters,
  },
  {
    row: 'C41',
    level: 'MUST',
    sentence: 'Passwords cannot be guessed without end.',
    needs: [needsFlood, needsUser],
    async run(service) {
      const { username = '' } = service.credentials.user ?? {}
      const client = await service.findLoginClient()
      await expectThrottled('wrong passwords of one user', GUESSES, (n) =>
        settle(service.post('token', loginOf(username, `conformance-${n}`), client)),
      )
    },
  },
  {
    row: 'C42',
    level: 'SHOULD',
    sentence: 'A login of an unknown user takes as long as one with a wrong password.',
    needs: [needsFlood, needsUser],
    floodTurn: 2,
    async run(service) {
      const { username = '' } = service.credentials.user ?? {}
      const client = await service.findLoginClient()
      await compareTimes(
        'an unknown user and a wrong password',
        TIMED_LOGINS,
        () => service.post('token', loginOf('conformance-nobody', 'conformance'), client),
        () => service.post('token', loginOf(username, 'conformance'), client),
      )
    },
  },
  {
    row: 'C43',
    level: 'SHOULD',
    sentence:
      'A password counts as a whole, whatever its characters; one that is too long is refused.',
    needs: [needsUser],
    guesses: true,
    run: checkOddPasswords,
  },
  {
    row: 'C44',
    level: 'SHOULD',
    sentence: 'Wrong passwords do not end the session of a user who is logged in already.',
    needs: [needsFlood, needsUser],
    floodTurn: 1,
    async run(service) {
      const { username = '' } = service.credentials.user ?? {}
      const tokens = await service.logIn()
      for (let n = 0; n < GUESSES; n += 1) {
        const login = loginOf(username, `conformance-${n}`)
        await settle(service.post('token', login, tokens.client))
      }
      expectSuccess(await service.refresh(tokens), `a refresh after ${GUESSES} wrong passwords`)
    },
  },
  {
    row: 'C45',
    level: 'SHOULD',
    sentence: 'A user with a second factor is refused at the password grant.',
    needs: [
      ({ credentials }) =>
        credentials.mfaUser ? undefined : 'no user with a second factor was given',
      needsUser,
    ],
    async run(service) {
      const { username = '', password = '' } = service.credentials.mfaUser ?? {}
      const { client } = await service.logIn()
      const answer = await service.post('token', loginOf(username, password), client)
      expectRefused(answer, 'a login of a user with a second factor')
    },
  },
]

function loginOf(username: string, password: string) {
  return { grant_type: 'password', username, password }
}

/** Logs in a user who does not exist: `invalid_grant` means that the client may use the grant. */
async function checkOptIn(service: TestedService): Promise<void> {
  const { confidentialClient, otherClient, publicClient } = service.credentials
  const clients = [confidentialClient, otherClient, publicClient].filter((one) => one !== undefined)
  const isListed = needsGrant('password')(service) === undefined
  const probe = loginOf('conformance-nobody', 'conformance')
  if (clients.length === 0) {
    const answer = await service.post('token', probe, { id: 'conformance-nobody' })
    expectRefused(answer, 'a login of an unknown client')
    return
  }
  let refused = 0
  for (const client of clients) {
    const answer = await service.post('token', probe, client)
    expectRefused(answer, 'a login of an unknown user')
    // By which code is C8's business.
    const isTried = answer.json.error === 'invalid_grant'
    expect(isListed || !isTried, 'a client may log users in, though the grant is not listed')
    refused += isTried ? 0 : 1
  }
  if (isListed && refused === 0) {
    throw new NotApplicable('the grant is listed, and every client that was given may use it')
  }
}

async function checkLoginParameters(service: TestedService): Promise<void> {
  const { client } = await service.logIn()
  const { username = '', password = '' } = service.credentials.user ?? {}
  const grant = { grant_type: 'password' }
  const incomplete = [
    ['no username', { ...grant, password }],
    ['no password', { ...grant, username }],
    ['neither of them', grant],
  ] as const
  for (const [what, parameters] of incomplete) {
    const answer = await service.post('token', parameters, client)
    expectError(answer, 'invalid_request', `a login with ${what}`)
  }
  if (client.secret === undefined) {
    const answer = await service.post('token', loginOf(username, password), undefined)
    expectRefused(answer, 'a login without a client')
    return
  }
  const unproven = await service.post('token', loginOf(username, password), { id: client.id })
  expectRefused(unproven, `a login without the client's secret (${describeAnswer(unproven)})`)
  const wrong = { ...client, secret: 'conformance' }
  const answer = await service.post('token', loginOf(username, password), wrong)
  expectError(answer, 'invalid_client', 'a login with a wrong client secret')
}

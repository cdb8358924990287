// C29: guessing at client secrets. Only with --flood, and at the second client where there is one.

import { expect, NotApplicable } from '../conformance-check.ts'
import { settle } from '../form-request.ts'
import type { Answer } from '../http-exchange.ts'
import type { TestedService } from '../tested-service.ts'
import { expectThrottled } from '../throttling.ts'
import { compareTimes } from '../timing.ts'

const GUESSES = 200
const SAMPLES = 60

export async function checkSecretGuessing(service: TestedService): Promise<void> {
  const { otherClient, confidentialClient } = service.credentials
  const known = (otherClient ?? confidentialClient)?.id ?? ''
  const attempt = (id: string, secret: string) =>
    service.post(
      'token',
      { grant_type: 'client_credentials' },
      { id, secret, authMethod: 'client_secret_basic' },
    )
  const first = await attempt(known, 'conformance')
  expectSame(first, await attempt('conformance-nobody', 'conformance'))
  const compared = compareTimes(
    'an unknown client and a wrong secret',
    SAMPLES,
    () => attempt('conformance-nobody', 'conformance'),
    () => attempt(known, 'conformance'),
  )
  // Where the rows before have used up what may be tried, guessing is held up, and that is the row.
  await compared.catch(unlessNotApplicable)
  await expectThrottled(`wrong secrets of one client`, GUESSES, (n) =>
    settle(attempt(known, `conformance-${n}`)),
  )
}

function unlessNotApplicable(error: unknown): void {
  if (!(error instanceof NotApplicable)) throw error
}

function expectSame(one: Answer, other: Answer): void {
  const isSame = one.status === other.status && one.text === other.text
  expect(isSame, 'an unknown client and a wrong secret get different answers')
}

// Tokens about subjects that are neither users nor clients: how they are named, built and read back.

import { test } from 'tap'
import type { ClientId } from '../../src/clients/client.ts'
import { buildExternalClaims, subjectTypeOf } from '../../src/tokens/access-token.ts'
import { externalSubject } from '../../src/tokens/external-subject.ts'
import { readClaims } from '../../src/tokens/read-claims.ts'

test('a subject has the id of its issuer before the colon, and fits into a header', async (t) => {
  t.equal(externalSubject('github', 'repo:acme/web'), 'github:repo:acme/web')
  for (const name of ['', 'two words', 'ä', 'a\r\nb', 'x'.repeat(257)]) {
    t.equal(externalSubject('github', name), undefined)
  }
})

test('its token is of no session and no role, and is read back as it was built', async (t) => {
  const claims = buildExternalClaims({
    subject: 'github:repo:acme/web',
    client: { id: 'jobs' as ClientId, accessTokenTtlSeconds: 600 },
    issuer: 'https://auth.example.test',
    scope: ['jobs:run'],
    audience: ['https://api.example.test'],
    confirmation: undefined,
    nowMs: 1_000_000,
  })
  t.match(claims, { sub: 'github:repo:acme/web', client_id: 'jobs', sid: undefined, exp: 1_600 })
  const read = readClaims(JSON.parse(JSON.stringify(claims)))
  t.strictSame(read, claims)
  t.equal(read && subjectTypeOf(read), 'external')
  for (const sub of ['Github:x', ':x', 'github:', 'github:two words', 'somebody']) {
    t.equal(readClaims({ ...JSON.parse(JSON.stringify(claims)), sub }), undefined, sub)
  }
})

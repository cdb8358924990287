// Who may leave refresh tokens unrotated, and for how long (RFC 9700 §2.2.2).

import { test } from 'tap'
import { checkRefresh } from '../../src/clients/client-refresh.ts'

const CLIENT = {
  type: 'public',
  dpopBoundAccessTokens: false,
  tlsClientCertificateBoundAccessTokens: false,
  refreshRotation: 'always',
  refreshRotateAfterSeconds: 0,
  refreshIdleTtlSeconds: 3_600,
} as const

const ROTATION = [{ pointer: '/refreshRotation', detail: /^must be always for a public client/ }]
const AFTER = [{ pointer: '/refreshRotateAfterSeconds', detail: /from 0 to below refreshIdle/ }]

const cases: [string, Partial<Parameters<typeof checkRefresh>[0]>, unknown[]][] = [
  ['what every client has', {}, []],
  ['never, of a public client that binds nothing', { refreshRotation: 'never' }, ROTATION],
  ['never, of a confidential client', { refreshRotation: 'never', type: 'confidential' }, []],
  ['never, with DPoP', { refreshRotation: 'never', dpopBoundAccessTokens: true }, []],
  [
    'never, with certificates',
    { refreshRotation: 'never', tlsClientCertificateBoundAccessTokens: true },
    [],
  ],
  ['an hour less a second', { refreshRotateAfterSeconds: 3_599 }, []],
  ['the whole idle time', { refreshRotateAfterSeconds: 3_600 }, AFTER],
  [
    'more than an hour, of a public client that binds nothing',
    { refreshRotateAfterSeconds: 3_601, refreshIdleTtlSeconds: 9_999 },
    [{ pointer: '/refreshRotateAfterSeconds', detail: /3600 at most/ }],
  ],
  [
    'more than an hour, with DPoP',
    { refreshRotateAfterSeconds: 3_601, refreshIdleTtlSeconds: 9_999, dpopBoundAccessTokens: true },
    [],
  ],
  ['less than nothing', { refreshRotateAfterSeconds: -1 }, AFTER],
  ['half a second', { refreshRotateAfterSeconds: 0.5 }, AFTER],
  ['no number', { refreshRotateAfterSeconds: Number.NaN }, AFTER],
  ['no end', { refreshRotateAfterSeconds: Number.POSITIVE_INFINITY }, AFTER],
  [
    'both wrong',
    { refreshRotation: 'never', refreshRotateAfterSeconds: 9_999 },
    [...ROTATION, ...AFTER],
  ],
]

test('the settings of a refresh hold together', async (t) => {
  for (const [what, members, errors] of cases) {
    const found = checkRefresh({ ...CLIENT, ...members })
    t.equal(found.length, errors.length, what)
    t.match(found, errors, what)
  }
})

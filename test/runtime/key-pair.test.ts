// Fresh key pairs, and that nobody makes them otherwise: a key as Node.js made it may stop the process when
// it is exported as a JWK, once in some thousand times.

import { sign, verify } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import {
  type KeyPairOptions,
  type KeyPairType,
  makeKeyPair,
  makeKeyPairSync,
} from '../../src/runtime/key-pair.ts'

const ROOT = join(import.meta.dirname, '../..')
const KINDS: readonly [KeyPairType, KeyPairOptions, object][] = [
  ['ec', { namedCurve: 'P-256' }, { kty: 'EC', crv: 'P-256' }],
  ['rsa', { modulusLength: 2048 }, { kty: 'RSA', e: 'AQAB' }],
  ['ed25519', {}, { kty: 'OKP', crv: 'Ed25519' }],
]

test('a pair of each type belongs together and can be exported', async (t) => {
  for (const [type, options, jwk] of KINDS) {
    const digest = type === 'ed25519' ? null : 'sha256'
    for (const pair of [makeKeyPairSync(type, options), await makeKeyPair(type, options)]) {
      t.match(pair.publicKey.export({ format: 'jwk' }), jwk, type)
      t.match(pair.privateKey.export({ format: 'jwk' }), { ...jwk, d: String }, type)
      const data = Buffer.from('signed')
      t.ok(verify(digest, data, pair.publicKey, sign(digest, data, pair.privateKey)), type)
    }
  }
})

test('what Node.js does not make is refused', async (t) => {
  t.throws(() => makeKeyPairSync('ec', { namedCurve: 'P-0' }))
  await t.rejects(makeKeyPair('ec', { namedCurve: 'P-0' }))
})

test('key pairs are made in one place of the service, and of each package', (t) => {
  const folders = [
    'src',
    ...readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}/src`),
  ]
  const makers = folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true }).map((path) => `${folder}/${path}`),
    )
    .filter((path) => path.endsWith('.ts') && !path.startsWith('src/generated/'))
    .filter((path) => readFileSync(join(ROOT, path), 'utf8').includes('generateKeyPair'))
  t.strictSame(makers.sort(), [
    'packages/client/src/fresh-keys.ts',
    'packages/conformance/src/fresh-keys.ts',
    // Exports no JWK.
    'packages/conformance/src/impostor-certificate.ts',
    'src/runtime/key-pair.ts',
  ])
  t.end()
})

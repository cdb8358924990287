// The reader of proofs never throws, whatever it is given, and takes only what its key has signed.

import fc from 'fast-check'
import { test } from 'tap'
import { isUrlOf } from '../../src/dpop/proof-target.ts'
import { readProof } from '../../src/dpop/read-proof.ts'
import { DPOP_ERRORS } from '../../src/oauth/dpop-errors.ts'
import { encode, makeProver } from '../scenes/dpop-scene.ts'

const isFault = (read: unknown) => typeof read === 'string' && Object.hasOwn(DPOP_ERRORS, read)

test('no text makes the reader throw', async (t) => {
  const prover = await makeProver()
  const part = fc.oneof(fc.string(), fc.base64String(), fc.jsonValue().map(encode))
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => isFault(readProof(parts.join('.')))),
  )
  const header = fc.record(
    {
      typ: fc.constantFrom<unknown>('dpop+jwt', 'JWT', 1),
      alg: fc.constantFrom<unknown>('ES256', 'EdDSA', 'RS256', 'none', '__proto__', null, {}),
      crit: fc.jsonValue(),
      jwk: fc.oneof(
        fc.jsonValue(),
        fc.record(
          {
            kty: fc.constantFrom<unknown>('EC', 'OKP', 'RSA', 'oct', 1),
            crv: fc.constantFrom<unknown>('P-256', 'Ed25519', 'X25519', undefined),
            x: fc.oneof(fc.base64String(), fc.constant(prover.jwk.x), fc.jsonValue()),
            y: fc.oneof(fc.base64String(), fc.constant(prover.jwk.y), fc.jsonValue()),
            n: fc.base64String(),
            e: fc.constantFrom<unknown>('AQAB', 'AA', '', 3),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(
      header,
      fc.jsonValue(),
      fc.uint8Array({ maxLength: 600 }),
      (head, claims, bytes) => {
        const signature = Buffer.from(bytes).toString('base64url')
        return isFault(readProof(`${encode(head)}.${encode(claims)}.${signature}`))
      },
    ),
  )
  t.pass('every one was refused by name')
})

test('claims of any kind under a good signature are read or refused by name', async (t) => {
  const prover = await makeProver('EdDSA')
  const claims = fc.record(
    {
      jti: fc.oneof(fc.string(), fc.jsonValue()),
      htm: fc.oneof(fc.string(), fc.jsonValue()),
      htu: fc.oneof(fc.webUrl(), fc.jsonValue()),
      iat: fc.oneof(fc.double(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(claims, (given) => {
      const read = readProof(prover.prove({ claims: given }))
      return typeof read === 'object' ? read.thumbprint === prover.thumbprint : isFault(read)
    }),
  )
  t.pass('none was thrown at')
})

test('no two URLs make the comparison throw, and it is the same both ways', async (t) => {
  const url = fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true, withFragments: true }))
  fc.assert(fc.property(url, url, (one, two) => isUrlOf(one, two) === isUrlOf(two, one)))
  fc.assert(fc.property(fc.webUrl(), (one) => isUrlOf(`${one}#x`, one)))
  t.pass()
})

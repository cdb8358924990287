// The forger's own work: a forgery that is the genuine token or certificate, or two that are one, would prove
// nothing.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import { test } from 'tap'
import { makeAuthority } from '../../../test/support/certificates.ts'
import { forgeClaims, forgeHeaders } from '../src/forged-tokens.ts'
import { makeFreshKeys } from '../src/fresh-keys.ts'
import { makeImpostor } from '../src/impostor-certificate.ts'
import { readJwt } from '../src/issued-tokens.ts'
import { nearMissesOf } from '../src/live-tokens.ts'

test('each forgery is another token than the genuine one, with its own name', async (t) => {
  const { publicKey, privateKey } = await makeFreshKeys('RS256')
  const make = () =>
    new SignJWT({ sub: 'somebody', jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'at+jwt' })
      .sign(privateKey)
  const genuine = {
    token: await make(),
    other: await make(),
    publicKey: await exportJWK(publicKey),
  }
  const forgeries = [...(await forgeClaims(genuine)), ...(await forgeHeaders(genuine))]
  t.equal(new Set(forgeries.map(({ name }) => name)).size, forgeries.length)
  t.equal(
    new Set([genuine.token, ...forgeries.map(({ token }) => token)]).size,
    forgeries.length + 1,
  )
  const jwts = forgeries.filter(({ token }) => readJwt(token))
  t.equal(jwts.length, forgeries.length - 1, 'all but one are JWTs to the eye')
  t.ok(jwts.some(({ token }) => readJwt(token)?.header.alg === 'none'))
  t.ok(jwts.some(({ token }) => readJwt(token)?.header.alg === 'HS256'))
})

test('an impostor has all of a certificate but its key and its signature', async (t) => {
  const authority = makeAuthority('An authority')
  const subject = [['CN', 'genuine']] as const
  // One that is long and one that is short, as lengths are written differently.
  for (const dns of [[], Array.from({ length: 40 }, (_, index) => `host-${index}.example.test`)]) {
    const { cert: certificate, x509, privateKey } = authority.issue({ subject, names: { dns } })
    const forged = makeImpostor({ certificate })
    const impostor = new X509Certificate(forged.certificate)
    const namesOf = ({ subject, issuer, subjectAltName, serialNumber, validTo }: typeof x509) =>
      Object.entries({ subject, issuer, subjectAltName, serialNumber, validTo })
    t.strictSame(namesOf(impostor), namesOf(x509))
    t.notOk(impostor.checkPrivateKey(privateKey), 'another key')
    t.ok(impostor.checkPrivateKey(createPrivateKey(forged.key)))
    t.notOk(impostor.verify(authority.x509.publicKey), 'no authority has signed it')
    t.ok(impostor.verify(impostor.publicKey))
  }
})

test('near misses of a token are not the token', async (t) => {
  for (const token of ['lrt_AAAA', 'a.b.c', 'AAAAAAAA']) {
    const guesses = nearMissesOf(token)
    t.equal(new Set([token, ...guesses]).size, guesses.length + 1)
  }
})

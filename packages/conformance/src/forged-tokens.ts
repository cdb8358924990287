// Forgeries of a genuine JWT: what nobody without the service's private key may get accepted. None
// of them reaches out to the network: a key "by URL" is a `data:` URL, which holds the key itself.

import { createHmac, createPublicKey } from 'node:crypto'
import { CompactSign, exportJWK, exportSPKI, type JWK } from 'jose'
import { makeFreshKeys } from './fresh-keys.ts'
import { type JwtParts, readJwt } from './issued-tokens.ts'

export interface Forgery {
  /** For messages: what was done to the token. */
  readonly name: string
  readonly token: string
}

export interface Genuine {
  /** A JWT that the service made. */
  readonly token: string
  /** Another one, by the same key if possible. */
  readonly other: string
  /** The key that the service published for it. */
  readonly publicKey: JWK | undefined
}

type Json = Readonly<Record<string, unknown>>

interface OwnKey {
  readonly publicJwk: JWK
  readonly publicPem: string
  sign(header: Json, claims: Json): Promise<string>
}

const HOUR_SECONDS = 3600

/** Claims that were changed, under the old signature or that of a key which nobody trusts. */
export async function forgeClaims({ token }: Genuine): Promise<readonly Forgery[]> {
  const { header, claims } = partsOf(token)
  const own = await makeOwnKey(header.alg)
  const nowSeconds = Math.floor(Date.now() / 1000)
  const signature = token.split('.')[2] ?? ''
  const change = (changed: Json) =>
    `${encode(header)}.${encode({ ...claims, ...changed })}.${signature}`
  const sign = (changedHeader: Json, changed: Json) =>
    own.sign({ ...header, ...changedHeader }, { ...claims, ...changed })
  return [
    { name: 'with another subject', token: change({ sub: 'somebody-else' }) },
    { name: 'with a later end', token: change({ exp: nowSeconds + 100 * HOUR_SECONDS }) },
    { name: 'with another audience', token: change({ aud: 'https://other.example' }) },
    { name: 'of another issuer', token: await sign({}, { iss: 'https://other.example' }) },
    { name: 'of the type of an ID token', token: await sign({ typ: 'JWT' }, {}) },
    { name: 'that has expired', token: await sign({}, { exp: nowSeconds - HOUR_SECONDS }) },
    { name: 'that is no JWT', token: 'this-is-no-token' },
  ]
}

/** The same claims under headers and signatures that must not count (RFC 8725 §3.1, §3.10). */
export async function forgeHeaders(genuine: Genuine): Promise<readonly Forgery[]> {
  const { token, other, publicKey } = genuine
  const { header, claims } = partsOf(token)
  const [encodedHeader = '', payload = '', signature = ''] = token.split('.')
  const own = await makeOwnKey(header.alg)
  const sign = (changed: Json) => own.sign({ ...header, ...changed }, claims)
  const unsigned = (alg: string) => `${encode({ ...header, alg })}.${payload}.`
  const { kid: _, ...withoutKid } = header
  const keySet = dataUrl('application/json', JSON.stringify({ keys: [own.publicJwk] }))
  return [
    { name: 'with alg none', token: unsigned('none') },
    { name: 'with alg nOnE', token: unsigned('nOnE') },
    { name: 'without its signature', token: `${encodedHeader}.${payload}.` },
    { name: 'with a signature of zeros', token: replaceSignature(token, zerosLike(signature)) },
    { name: 'with a damaged signature', token: replaceSignature(token, damage(signature)) },
    {
      name: "with another token's signature",
      token: replaceSignature(token, other.split('.')[2] ?? ''),
    },
    { name: 'signed by a key of its own under the known kid', token: await sign({}) },
    { name: 'that brings its key in jwk', token: await sign({ jwk: own.publicJwk }) },
    {
      name: 'that brings its key in jwk, no kid',
      token: await own.sign({ ...withoutKid, jwk: own.publicJwk }, claims),
    },
    { name: 'that names its key by jku', token: await sign({ jku: keySet, kid: 'own' }) },
    {
      name: 'that names its key by x5u',
      token: await sign({ x5u: dataUrl('application/x-pem-file', own.publicPem), kid: 'own' }),
    },
    { name: 'with an unknown crit', token: await sign({ crit: ['x-unknown'], 'x-unknown': true }) },
    ...(publicKey ? confuseAlgorithms({ header, claims }, publicKey) : []),
  ]
}

/** RFC 8725 §2.1: the public key taken for the secret of an HMAC. */
function confuseAlgorithms({ header, claims }: JwtParts, publicKey: JWK): readonly Forgery[] {
  const pem = toPem(publicKey)
  const secrets = [
    ['its PEM', pem],
    ['its PEM without the last line break', pem.trimEnd()],
    ['its JWK', JSON.stringify(publicKey)],
  ] as const
  const signed = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
  return secrets.map(([what, secret]) => ({
    name: `with HS256 and the public key as secret (${what})`,
    token: `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`,
  }))
}

/** A key pair of the algorithm that the header names, or of ES256 where that cannot be made. */
async function makeOwnKey(wanted: unknown): Promise<OwnKey> {
  const { alg, pair } = await makeKeyPair(String(wanted))
  const publicJwk = { ...(await exportJWK(pair.publicKey)), alg, kid: 'own', use: 'sig' }
  return {
    publicJwk,
    publicPem: await exportSPKI(pair.publicKey),
    sign: async (header, claims) =>
      await new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ ...header, alg })
        .sign(pair.privateKey, { crit: { 'x-unknown': true } }),
  }
}

async function makeKeyPair(wanted: string) {
  try {
    return { alg: wanted, pair: await makeFreshKeys(wanted) }
  } catch {
    return { alg: 'ES256', pair: await makeFreshKeys('ES256') }
  }
}

function partsOf(token: string): JwtParts {
  const parts = readJwt(token)
  if (!parts) throw new RangeError('only a JWT can be forged')
  return parts
}

const toPem = (jwk: JWK): string =>
  createPublicKey({ key: { ...jwk }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString()

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const dataUrl = (mediaType: string, text: string): string =>
  `data:${mediaType};base64,${Buffer.from(text).toString('base64')}`

const replaceSignature = (token: string, signature: string): string =>
  `${token.split('.').slice(0, 2).join('.')}.${signature}`

const zerosLike = (signature: string): string =>
  Buffer.alloc(Buffer.from(signature, 'base64url').length).toString('base64url')

/** One bit in the middle, where no decoder may ignore it. */
function damage(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url')
  const middle = bytes.length >> 1
  bytes.writeUInt8((bytes.at(middle) ?? 0) ^ 1, middle)
  return bytes.toString('base64url')
}

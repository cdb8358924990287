// An ES256 JWT by node:crypto alone, signed and verified: what an access token costs at least.

import { generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto'

export interface TokenClaims {
  readonly sub: string
  readonly client_id: string
  readonly scope: string
  readonly jti: string
  readonly exp: number
}

const TTL_SECONDS = 3_600
const DSA_ENCODING = 'ieee-p1363'
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const header = Buffer.from('{"alg":"ES256","kid":"bench","typ":"at+jwt"}').toString('base64url')

export function signToken(sub: string, clientId: string, scope: string): string {
  const iat = Math.floor(Date.now() / 1000)
  const about = {
    iss: 'https://bench.test',
    sub,
    aud: 'https://api.bench.test',
    client_id: clientId,
  }
  const claims = { ...about, scope, iat, exp: iat + TTL_SECONDS, jti: randomUUID() }
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const signature = sign('sha256', Buffer.from(signed), {
    key: privateKey,
    dsaEncoding: DSA_ENCODING,
  })
  return `${signed}.${signature.toString('base64url')}`
}

/** The claims of a token of this process that has not expired; else undefined. */
export function verifyToken(token: string): TokenClaims | undefined {
  const dot = token.lastIndexOf('.')
  const signed = Buffer.from(token.slice(0, dot))
  const signature = Buffer.from(token.slice(dot + 1), 'base64url')
  const key = { key: publicKey, dsaEncoding: DSA_ENCODING } as const
  if (!verify('sha256', signed, key, signature)) return undefined
  const payload = token.slice(token.indexOf('.') + 1, dot)
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as TokenClaims
  return claims.exp > Date.now() / 1000 ? claims : undefined
}

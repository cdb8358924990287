// How claims become a signed string (RFC 7515 §3.1), and a string the claims of a token that one of
// our keys signed and that has not expired. Offline: whether a token was taken back since is known
// to check-access-token.ts.

import type { Client } from '../clients/client.ts'
import type { KeyMaterial } from '../keys/key-material.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { SigningKey } from '../keys/key-states.ts'
import type { WatchCall } from '../runtime/call-watch.ts'
import type { Clock } from '../runtime/clock.ts'
import type { AccessTokenClaims } from './access-token.ts'
import { type AudienceAlgs, chooseAlg } from './choose-alg.ts'
import { readClaims } from './read-claims.ts'
import { openVerifiedTokens, type VerifiedToken } from './verified-tokens.ts'

/** Longer than any token that we sign; a longer string is not parsed. */
const TOKEN_LENGTH_MAX = 8192
/** RFC 9068 §2.1: it tells an access token from every other JWT. */
const TOKEN_TYPE = 'at+jwt'
const TOKEN_TYPES: readonly unknown[] = [TOKEN_TYPE, `application/${TOKEN_TYPE}`]

export interface TokenMint {
  /**
   * With the key that is active now of the algorithm that its readers ask for: the audience's, else the
   * client's, else the default (docs/semantics.md §1). Synchronous: a signature never waits for a
   * password hash.
   */
  sign(claims: AccessTokenClaims, client: Pick<Client, 'signingAlg'>): string
  /** Synchronous; undefined for whatever is not a good token, and never throws because of one. */
  verify(token: string): AccessTokenClaims | undefined
}

export interface TokenMintOptions {
  readonly keys: Pick<KeyRing, 'active' | 'find'>
  readonly issuer: string
  /** The algorithms of audiences that have one of their own. */
  readonly audienceAlgs: AudienceAlgs
  readonly clock: Clock
  /** Told of every signature, by its algorithm, while calls are traced. */
  readonly watchSignature?: WatchCall | undefined
}

export function openTokenMint(options: TokenMintOptions): TokenMint {
  const { keys, issuer, audienceAlgs, clock, watchSignature } = options
  /** Encoded once for each key. */
  const headers = new WeakMap<KeyMaterial, string>()
  const verified = openVerifiedTokens()

  function encodeHeader({ kid, material }: SigningKey): string {
    let header = headers.get(material)
    if (header === undefined) {
      header = encode({ alg: material.alg, kid, typ: TOKEN_TYPE })
      headers.set(material, header)
    }
    return header
  }

  return {
    sign(claims, { signingAlg }) {
      const key = keys.active(chooseAlg(claims.aud, signingAlg, audienceAlgs))
      const signed = `${encodeHeader(key)}.${encode(claims)}`
      const ended = watchSignature?.(key.material.alg)
      const signature = key.material.sign(Buffer.from(signed)).toString('base64url')
      ended?.(false)
      return `${signed}.${signature}`
    },
    verify(token) {
      if (token.length > TOKEN_LENGTH_MAX) return undefined
      const known = verified.find(token)
      const read = known ?? readSigned(token, keys.find, issuer)
      if (!read) return undefined
      // Asked anew each time: keys are dropped, and tokens expire.
      const isKeyKept = keys.find(read.kid)?.material === read.material
      if (isKeyKept && clock() < read.claims.exp * 1000) {
        if (!known) verified.remember(token, read)
        return read.claims
      }
      if (known) verified.forget(token)
      return undefined
    },
  }
}

/** What a token of this issuer says that one of our keys has signed. */
function readSigned(
  token: string,
  findKey: KeyRing['find'],
  issuer: string,
): VerifiedToken | undefined {
  const [header, payload, signature, ...more] = token.split('.').map(decodeCanonical)
  if (!header || !payload || !signature || more.length > 0) return undefined
  const key = findSigner(header, findKey)
  const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')))
  if (!key?.material.verify(signed, signature)) return undefined
  const claims = readClaims(parseObject(payload))
  return claims?.iss === issuer ? { kid: key.kid, material: key.material, claims } : undefined
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

// The algorithm is the key's own and the key is one of ours: `jwk`, `jku`, `x5u` and the like are
// ignored (RFC 8725 §3.1), and a token with `crit` is refused (RFC 7515 §4.1.11).
function findSigner(header: Buffer, findKey: KeyRing['find']): SigningKey | undefined {
  const { alg, typ, kid, crit } = parseObject(header)
  if (typeof kid !== 'string' || crit !== undefined) return undefined
  if (!TOKEN_TYPES.includes(typ)) return undefined
  const key = findKey(kid)
  return key?.material.alg === alg ? key : undefined
}

/** Undefined unless the whole is base64url in its one spelling. */
function decodeCanonical(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function parseObject(json: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json.toString())
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

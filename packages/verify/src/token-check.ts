// Whether a string is an access token of the issuer for this API (RFC 9068 §4), whoever presents it.

import { decodeProtectedHeader, errors, jwtVerify, type ProtectedHeaderParameters } from 'jose'
import type { AccessTokenClaims, Confirmation } from './access-token-claims.ts'
import { deepFreeze } from './deep-freeze.ts'
import type { IssuerKey, IssuerKeys } from './issuer-keys.ts'
import { createVerifiedTokens, type VerifiedToken } from './verified-tokens.ts'
import { RefusedTokenError } from './verify-errors.ts'

/** No token of ours comes near. */
const MAX_LENGTH = 16_384
const REQUIRED = ['exp', 'iat', 'sub', 'client_id', 'jti']

export interface TokenCheckSettings {
  readonly issuer: string
  readonly audience: string | readonly string[]
  readonly algorithms: readonly string[]
  readonly toleranceSeconds: number
  readonly keys: IssuerKeys
  readonly cachedTokens: number
  readonly nowMs: () => number
}

/** The claims are frozen. Throws RefusedTokenError, and UnavailableError when no keys can be had. */
export type CheckToken = (token: string) => Promise<AccessTokenClaims>

export function createTokenCheck(settings: TokenCheckSettings): CheckToken {
  const { keys, nowMs, toleranceSeconds } = settings
  const verified = createVerifiedTokens(settings.cachedTokens)

  /** As good as verified again: it has not ended, and the key is still published. */
  function stillHolds({ claims, key }: VerifiedToken): boolean {
    return nowMs() / 1000 < claims.exp + toleranceSeconds && keys.has(key)
  }

  return async (token) => {
    if (token.length > MAX_LENGTH) throw new RefusedTokenError('token_malformed')
    // Before what was verified is believed, too: its key may have been withdrawn.
    await keys.refresh()
    const found = verified.get(token)
    if (found && stillHolds(found)) return found.claims
    if (found) verified.drop(token)
    const fresh = await verify(token, settings)
    verified.keep(token, fresh)
    return fresh.claims
  }
}

async function verify(token: string, settings: TokenCheckSettings): Promise<VerifiedToken> {
  const { algorithms, keys } = settings
  const { alg = '', kid } = readHeader(token)
  if (!algorithms.includes(alg)) throw new RefusedTokenError('token_algorithm')
  const found = (await keys.find(kid)).filter(({ jwk }) => fits(jwk, alg))
  // Without a kid it must be clear which one is meant.
  const [key] = found
  if (!key || (kid === undefined && found.length > 1)) {
    throw new RefusedTokenError('token_key_unknown')
  }
  const claims = await verifyWith(token, key, alg, settings)
  if (claims.cnf !== undefined) requireConfirmation(claims.cnf)
  return { claims, key }
}

function readHeader(token: string): ProtectedHeaderParameters {
  try {
    const header = decodeProtectedHeader(token)
    if (header.kid !== undefined && typeof header.kid !== 'string') throw new Error('kid')
    return header
  } catch {
    throw new RefusedTokenError('token_malformed')
  }
}

/** Two names of one algorithm (RFC 9864). */
function fits({ alg: own, kty }: { alg?: string; kty?: string }, alg: string): boolean {
  const isEdwards = (name: string | undefined) => name === 'EdDSA' || name === 'Ed25519'
  if (own !== undefined) return own === alg || (isEdwards(own) && isEdwards(alg))
  const family = alg.slice(0, 2)
  return kty === (family === 'ES' ? 'EC' : family === 'Ed' ? 'OKP' : 'RSA')
}

async function verifyWith(
  token: string,
  key: IssuerKey,
  alg: string,
  { issuer, audience, toleranceSeconds, nowMs }: TokenCheckSettings,
): Promise<AccessTokenClaims> {
  const opened = await key.open(alg).catch(() => undefined)
  if (!opened) throw new RefusedTokenError('token_key_unknown')
  try {
    const { payload } = await jwtVerify(token, opened, {
      typ: 'at+jwt',
      issuer,
      audience: typeof audience === 'string' ? audience : [...audience],
      algorithms: [alg],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(nowMs()),
      requiredClaims: REQUIRED,
    })
    // The next requests with this token get the same object.
    return deepFreeze(payload as unknown as AccessTokenClaims)
  } catch (error) {
    throw new RefusedTokenError(reasonOf(error))
  }
}

function reasonOf(error: unknown): RefusedTokenError['reason'] {
  if (error instanceof errors.JWTExpired) return 'token_expired'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'token_signature'
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'token_malformed'
  if (error.claim === 'typ') return 'token_type'
  return error.claim === 'nbf' ? 'token_not_yet_valid' : 'token_claims'
}

/** A binding that we do not know cannot be looked at, so the token is good for nothing here. */
function requireConfirmation(cnf: Confirmation): void {
  const isKnown = (name: string) => name === 'jkt' || name === 'x5t#S256'
  const entries = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : []
  const isGood = entries.every(([name, value]) => isKnown(name) && typeof value === 'string')
  if (entries.length === 0 || !isGood) throw new RefusedTokenError('binding_unknown')
}

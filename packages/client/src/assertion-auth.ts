// A client that has a private key and signs an assertion with it for every request (RFC 7523 §2.2, §3).

import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { type AuthContext, JWT_ASSERTION_TYPE, type TokenForm } from './auth-request.ts'
import { TokenRequestError } from './client-errors.ts'
import { openPrivateKey, type PrivateKeyInput } from './private-key.ts'

export interface PrivateKeyAuth {
  readonly method: 'private_key_jwt'
  /** A function is asked before every request. */
  readonly key: PrivateKeyInput | (() => PrivateKeyInput | Promise<PrivateKeyInput>)
  readonly kid?: string
  /** By default what the key says; RS256 for one of RSA that does not. */
  readonly alg?: string
  /** By default the issuer, and the token endpoint where no issuer is known. */
  readonly audience?: string
}

/** Only for its way to the server. */
const LIFE_SECONDS = 60

export async function proveByAssertion(
  auth: PrivateKeyAuth,
  { body }: TokenForm,
  context: AuthContext,
): Promise<void> {
  body.set('client_id', context.clientId)
  body.set('client_assertion_type', JWT_ASSERTION_TYPE)
  body.set('client_assertion', await signAssertion(auth, context))
}

async function signAssertion(
  { key: input, alg, kid, audience }: PrivateKeyAuth,
  { clientId, issuer, tokenEndpoint, nowMs }: AuthContext,
): Promise<string> {
  const given = typeof input === 'function' ? await input() : input
  const signing = openPrivateKey(given, { alg, kid })
  const iat = Math.floor(nowMs / 1000)
  const jwt = new SignJWT({ jti: randomUUID(), iat, exp: iat + LIFE_SECONDS })
    .setIssuer(clientId)
    .setSubject(clientId)
    // Never a list: what names two servers is good at both.
    .setAudience(audience ?? issuer ?? tokenEndpoint)
    .setProtectedHeader({ alg: signing.alg, ...(signing.kid ? { kid: signing.kid } : {}) })
  try {
    return await jwt.sign(signing.key)
  } catch (cause) {
    throw new TokenRequestError('credentials', `the key does not sign with ${signing.alg}`, {
      cause,
    })
  }
}

// A JWT (RFC 7519) that somebody else made, as far as it can be read without believing any of it: one
// spelling of three parts, a header that asks for nothing special, and claims.

import type { AssertionReason } from '../oauth/assertion-reason.ts'
import { type JsonObject, memberOf, readJsonObject } from '../runtime/strict-json.ts'

/** Those of platforms with many claims have about 4 KiB; a form has room for 16 KiB. */
const LENGTH_MAX = 8 * 1024
const KID_LENGTH_MAX = 512

/**
 * A header with one of these means something else than it says: extensions that have to be understood
 * (RFC 7515 §4.1.11), a payload that is not encoded (RFC 7797), one within another or encrypted. A key or
 * the way to one (`jwk`, `jku`, `x5c`, `x5u`) may stand there and is never looked at.
 */
const REFUSED_MEMBERS = ['crit', 'b64', 'cty', 'enc', 'zip'] as const

export interface ForeignHeader {
  readonly alg: string
  readonly kid: string | undefined
  readonly typ: string | undefined
}

export interface ForeignJwt {
  readonly header: ForeignHeader
  /** As they were sent: own members only, and any type (`memberOf`). */
  readonly claims: JsonObject
  /** What is signed. */
  readonly signed: Buffer
  readonly signature: Buffer
}

export type ReadJwt =
  | { readonly jwt: ForeignJwt; readonly problem?: never }
  | { readonly jwt?: never; readonly problem: AssertionReason }

/** Nothing in it is believed yet: see assertion-checks.ts and check-signature.ts. */
export function readForeignJwt(text: string): ReadJwt {
  const parts = text.length <= LENGTH_MAX ? text.split('.', 4) : []
  const [header, claims, signature] = parts.map(decodePart)
  if (parts.length !== 3 || !header || !claims || !signature) return { problem: 'malformed' }
  const members = readJsonObject(header)
  const said = readJsonObject(claims)
  if (!members || !said) return { problem: 'malformed' }
  const [alg, kid, typ] = ['alg', 'kid', 'typ'].map((name) => memberOf(members, name))
  if (typeof alg !== 'string' || !isText(kid) || !isText(typ)) return { problem: 'malformed' }
  if (REFUSED_MEMBERS.some((name) => Object.hasOwn(members, name))) {
    return { problem: 'header_refused' }
  }
  const signed = Buffer.from(text.slice(0, text.lastIndexOf('.')))
  return { jwt: { header: { alg, kid, typ }, claims: said, signed, signature } }
}

function isText(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && value.length <= KID_LENGTH_MAX)
}

/** Buffer decodes leniently; one JWT must have one spelling (RFC 7515 §2). */
function decodePart(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

// What an administrator may say about a trusted issuer, checked as a whole. Pure: the JSON members go
// in, a draft that may be stored or every problem comes out. Their JSON types are checked before.

import { isClientSlug } from '../clients/client-id.ts'
import type { Checked, FieldError } from '../runtime/field-error.ts'
import { checkIssuerKeys } from './issuer-keys.ts'
import type { SubjectMapping, TrustedIssuer } from './trusted-issuer.ts'

const ISSUER_LENGTH_MAX = 512
const AUDIENCE_LENGTH_MAX = 512
/** Names of claims may be URLs. */
const CLAIM_LENGTH_MAX = 128
const PRINTABLE = /^[\x21-\x7e]+$/
/** SPIFFE §2.1: lower-case letters, digits, dots, dashes and underscores. */
const TRUST_DOMAIN = /^spiffe:\/\/[a-z0-9._-]{1,255}$/

/** A trusted issuer as it is stored: a null audience follows the issuer of this service. */
export type TrustedIssuerDraft = Omit<
  TrustedIssuer,
  'id' | 'audience' | 'createdAt' | 'updatedAt'
> & { readonly audience: string | null }

/** The members of a request, their JSON types checked; null means absent (RFC 7396). */
export type TrustedIssuerInput = {
  readonly [Member in keyof TrustedIssuerDraft]?: TrustedIssuerDraft[Member] | null | undefined
}

/** An issuer to be, with its id. */
export type NewTrustedIssuerInput = TrustedIssuerInput &
  Pick<TrustedIssuer, 'id' | 'issuer' | 'kind'>

/** What may be changed: what an id means does not change under the clients that name it. */
export type TrustedIssuerPatch = Omit<TrustedIssuerInput, 'issuer' | 'kind'>

/** Whether a trusted issuer can have this id; without a colon, which ends it in the `sub` of a token. */
export function isTrustedIssuerId(text: string): boolean {
  return isClientSlug(text)
}

/** Fills in the defaults and checks every rule. */
export function draftTrustedIssuer(
  input: TrustedIssuerInput & Pick<TrustedIssuer, 'issuer' | 'kind'>,
): Checked<TrustedIssuerDraft> {
  const { issuer, kind } = input
  const draft: TrustedIssuerDraft = {
    issuer,
    kind,
    jwks: input.jwks ?? null,
    jwksUri: input.jwksUri ?? null,
    allowPrivateNetwork: input.allowPrivateNetwork ?? false,
    audience: input.audience ?? null,
    algs: input.algs ?? [],
    // A pod presents the token that it finds in its file, again and again.
    replay: input.replay ?? (kind === 'kubernetes' ? 'reusable' : 'single_use'),
    subjects: input.subjects ?? null,
  }
  const errors = [
    ...checkIssuer(draft),
    ...checkIssuerKeys(draft),
    ...checkAudience(draft),
    ...checkReplay(draft),
    ...checkSubjects(draft.subjects),
  ]
  return errors.length === 0 ? { ok: true, value: draft } : { ok: false, errors }
}

/** The same, of an issuer that has an id of its choice. */
export function draftNewTrustedIssuer({
  id,
  ...input
}: NewTrustedIssuerInput): Checked<TrustedIssuerDraft> {
  const checked = draftTrustedIssuer(input)
  if (isTrustedIssuerId(id)) return checked
  const detail = 'must be a slug, [a-z][a-z0-9-]{1,62}, and not a UUID'
  return { ok: false, errors: [{ pointer: '/id', detail }, ...(checked.ok ? [] : checked.errors)] }
}

/** Compared character by character, so nothing of it is made another spelling. */
function checkIssuer({ issuer, kind }: TrustedIssuerDraft): FieldError[] {
  const pointer = '/issuer'
  if (kind === 'spiffe') {
    const detail = 'must be a trust domain, such as spiffe://example.org'
    return TRUST_DOMAIN.test(issuer) ? [] : [{ pointer, detail }]
  }
  if (isIssuerUrl(issuer)) return []
  const detail = 'must be an https URL in normal form, without query, fragment or credentials'
  return [{ pointer, detail }]
}

function isIssuerUrl(text: string): boolean {
  if (text.length > ISSUER_LENGTH_MAX || !PRINTABLE.test(text) || /[?#@]/.test(text)) return false
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  // What ends with a slash is another issuer than what does not; both are in use.
  return url.protocol === 'https:' && (url.href === text || url.href === `${text}/`)
}

function checkAudience({ audience }: TrustedIssuerDraft): FieldError[] {
  if (audience === null) return []
  if (audience.length <= AUDIENCE_LENGTH_MAX && PRINTABLE.test(audience)) return []
  const detail = `must be 1 to ${AUDIENCE_LENGTH_MAX} printable characters without spaces`
  return [{ pointer: '/audience', detail }]
}

/** A pod or a trust domain's workload has to use its token again; nobody else is asked to be trusted with it. */
function checkReplay({ kind, replay }: TrustedIssuerDraft): FieldError[] {
  if (replay === 'single_use' || kind === 'kubernetes' || kind === 'spiffe') return []
  return [{ pointer: '/replay', detail: 'is reusable for kubernetes and spiffe alone' }]
}

function checkSubjects(subjects: SubjectMapping | null): FieldError[] {
  if (subjects === null) return []
  const { mode, claim, match } = { claim: undefined, match: undefined, ...subjects }
  if (mode === 'own') {
    if (claim === undefined && match === undefined) return []
    return [{ pointer: '/subjects', detail: 'has no claim and no match in the mode own' }]
  }
  const errors: FieldError[] = []
  if (claim === undefined || claim.length > CLAIM_LENGTH_MAX || !PRINTABLE.test(claim)) {
    const detail = `must be the name of a claim, of at most ${CLAIM_LENGTH_MAX} characters`
    errors.push({ pointer: '/subjects/claim', detail })
  }
  if (match === undefined) errors.push({ pointer: '/subjects/match', detail: 'is required' })
  return errors
}

// Trusted issuers as a kind of resource: each by its id, which means the same issuer for ever; what a file
// does not say has its default.

import type { DeclarationManagement } from '../../management/declaration-management.ts'
import type { TrustManagement } from '../../management/trust-management.ts'
import { nextMark } from '../../runtime/applied-mark.ts'
import { knownMembers } from '../../runtime/defined-members.ts'
import type { FieldError } from '../../runtime/field-error.ts'
import {
  draftNewTrustedIssuer,
  type NewTrustedIssuerInput,
} from '../../trust/trusted-issuer-draft.ts'
import type { DeclaredIssuer } from '../../trust/trusted-issuer-store.ts'
import { API_VERSION } from '../declared-resource.ts'
import { diffLabels, diffSpec } from '../field-change.ts'
import {
  changeUnlessEmpty,
  type Judgement,
  type KindOfResource,
  placeErrors,
  type StoredResource,
  type WantedResource,
} from '../planned-change.ts'
import { withoutDefaults } from './without-defaults.ts'

const PLACES = { '/id': '/metadata/name' }

export function openTrustedIssuerKind(
  declarations: DeclarationManagement,
  management: Pick<TrustManagement, 'delete'>,
): KindOfResource {
  const read = () => declarations.trustedIssuers.readDeclared()

  function judgeOne(
    { resource }: WantedResource,
    stored: DeclaredIssuer | undefined,
    idOf: ReadonlyMap<string, string>,
  ): Judgement {
    const { name: id, labels = {} } = resource.metadata
    const settings = resource.spec as unknown as Omit<NewTrustedIssuerInput, 'id'>
    const checked = draftNewTrustedIssuer({ ...settings, id })
    if (!checked.ok) return { errors: placeErrors(checked.errors, PLACES) }
    const errors = findIdentityErrors(id, settings, stored, idOf)
    if (errors.length > 0) return { errors }
    const wish = { id, settings, mark: { labels } }
    const change = changeUnlessEmpty({
      ...{ kind: 'TrustedIssuer', name: id, action: stored ? 'update' : 'create' },
      fields: [
        ...diffLabels(stored?.mark.labels, nextMark(stored?.mark, wish.mark).labels),
        ...diffSpec(stored?.settings, checked.value, settings),
      ],
      carryOut: (act) => declarations.putTrustedIssuer(wish, act),
    })
    return { errors: [], change }
  }

  return {
    kind: 'TrustedIssuer',
    identify: (name) => name,
    async judge(wanted) {
      const stored = await read()
      const byId = new Map(stored.map((one) => [one.id, one]))
      // Whoever has an issuer, or is the first of the files to ask for it.
      const idOf = new Map<string, string>()
      for (const { resource } of wanted.toReversed()) {
        idOf.set(String(resource.spec.issuer), resource.metadata.name)
      }
      for (const { id, settings } of stored) idOf.set(settings.issuer, id)
      return wanted.map((one) => judgeOne(one, byId.get(one.resource.metadata.name), idOf))
    },
    async *listStored(labels) {
      const wanted = Object.entries(labels ?? {})
      const stored = await read()
      yield stored
        .filter(({ mark }) => wanted.every(([name, value]) => mark.labels?.[name] === value))
        .map((one) => toStored(one, management))
    },
  }
}

function findIdentityErrors(
  id: string,
  { issuer, kind }: Pick<NewTrustedIssuerInput, 'issuer' | 'kind'>,
  stored: DeclaredIssuer | undefined,
  idOf: ReadonlyMap<string, string>,
): FieldError[] {
  const detail = 'never changes: remove the trusted issuer, or give it another name'
  if (stored && stored.settings.issuer !== issuer) return [{ pointer: '/spec/issuer', detail }]
  if (stored && stored.settings.kind !== kind) return [{ pointer: '/spec/kind', detail }]
  if (idOf.get(issuer) === id) return []
  return [{ pointer: '/spec/issuer', detail: 'is that of another trusted issuer' }]
}

function toStored(
  { id, settings, mark }: DeclaredIssuer,
  management: Pick<TrustManagement, 'delete'>,
): StoredResource {
  const { issuer, kind } = settings
  const defaults = draftNewTrustedIssuer({ id, issuer, kind, jwksUri: `${issuer}/` })
  const { labels } = mark
  const known = { ...(defaults.ok && defaults.value), jwksUri: null }
  return {
    name: id,
    identity: id,
    document: {
      apiVersion: API_VERSION,
      kind: 'TrustedIssuer',
      metadata: { name: id, ...(labels && { labels }) },
      spec: { issuer, kind, ...knownMembers(withoutDefaults(settings, known, { issuer, kind })) },
    },
    hasSecret: false,
    isMade: mark.made === true,
    removal: {
      ...{ kind: 'TrustedIssuer', name: id, action: 'remove', fields: [] },
      carryOut: (act) => management.delete(id, act),
    },
  }
}

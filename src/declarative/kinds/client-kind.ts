// Clients as a kind of resource: each by its id; what a file does not say has its default.

import type { ClientDeclarations, DeclaredClient } from '../../clients/client-declaration.ts'
import type { ClientInput } from '../../clients/client-draft.ts'
import type { ClientManagement } from '../../management/client-management.ts'
import type { DeclarationManagement } from '../../management/declaration-management.ts'
import { nextMark } from '../../runtime/applied-mark.ts'
import { knownMembers } from '../../runtime/defined-members.ts'
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

const PLACES = { '/id': '/metadata/name', '/secret': '/secretFrom' }

export function openClientKind(
  declarations: DeclarationManagement,
  management: Pick<ClientManagement, 'delete'>,
): KindOfResource {
  const { clients } = declarations

  function judgeOne(wanted: WantedResource, stored: DeclaredClient | undefined): Judgement {
    const { resource, secret } = wanted
    const { name, labels = {} } = resource.metadata
    const settings = resource.spec as ClientInput
    const wish = { id: name, settings, mark: { labels }, secret }
    const checked = clients.check(wish, stored)
    if (!checked.ok) return { errors: placeErrors(checked.errors, PLACES) }
    const isSame = secret === undefined || stored?.hasSecret(secret)
    const change = changeUnlessEmpty({
      ...{ kind: 'Client', name, action: stored ? 'update' : 'create' },
      fields: [
        ...diffLabels(stored?.mark.labels, nextMark(stored?.mark, wish.mark).labels),
        ...diffSpec(stored?.settings, checked.value, settings),
      ],
      secret: isSame ? undefined : stored && stored.secretCount > 0 ? 'replace' : 'set',
      carryOut: (act) => declarations.putClient(wish, act),
    })
    return { errors: [], change }
  }

  return {
    kind: 'Client',
    identify: (name) => name,
    async judge(wanted) {
      const stored = await clients.readMany(wanted.map(({ resource }) => resource.metadata.name))
      const byId = new Map(stored.map((one) => [one.id, one]))
      return wanted.map((one) => judgeOne(one, byId.get(one.resource.metadata.name)))
    },
    async *listStored(labels) {
      for await (const ids of clients.listIds(labels)) {
        const stored = await clients.readMany(ids)
        yield stored.map((one) => toStored(one, clients, management))
      }
    },
  }
}

function toStored(
  client: DeclaredClient,
  clients: Pick<ClientDeclarations, 'check'>,
  management: Pick<ClientManagement, 'delete'>,
): StoredResource {
  const { id, settings, mark, secretCount } = client
  const { name, type, grantTypes } = settings
  const bare = { id, settings: { name, type, grantTypes }, mark: { labels: {} }, secret: undefined }
  // Beside itself, so that the secret is there that the defaults may need.
  const defaults = clients.check(bare, client)
  const { labels } = mark
  return {
    name: id,
    identity: id,
    document: {
      apiVersion: API_VERSION,
      kind: 'Client',
      metadata: { name: id, ...(labels && { labels }) },
      spec: {
        name,
        ...{ type, grantTypes },
        ...knownMembers(
          withoutDefaults(settings, defaults.ok ? defaults.value : {}, bare.settings),
        ),
      },
    },
    hasSecret: secretCount > 0,
    isMade: mark.made === true,
    removal: {
      ...{ kind: 'Client', name: id, action: 'remove', fields: [] },
      carryOut: (act) => management.delete(id, act),
    },
  }
}

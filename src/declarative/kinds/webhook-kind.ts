// Webhooks as a kind of resource: each by a name of the file's choice, from which its id follows; what a
// file does not say has its default.

import type { DeclarationManagement } from '../../management/declaration-management.ts'
import type { WebhookManagement } from '../../management/webhook-management.ts'
import { nextMark } from '../../runtime/applied-mark.ts'
import { type DeclaredWebhook, webhookIdOf } from '../../webhooks/webhook-declaration.ts'
import { draftWebhook, type NewWebhookInput } from '../../webhooks/webhook-draft.ts'
import { API_VERSION } from '../declared-resource.ts'
import { diffLabels, diffMembers, diffSpec } from '../field-change.ts'
import {
  changeUnlessEmpty,
  type Judgement,
  type KindOfResource,
  placeErrors,
  type StoredResource,
  type WantedResource,
} from '../planned-change.ts'
import { withoutDefaults } from './without-defaults.ts'

const PLACES = { '/secret': '/secretFrom' }

export function openWebhookKind(
  declarations: DeclarationManagement,
  management: Pick<WebhookManagement, 'delete'>,
): KindOfResource {
  const { webhooks } = declarations

  function judgeOne(wanted: WantedResource, stored: DeclaredWebhook | undefined): Judgement {
    const { resource, secret } = wanted
    const { name, labels = {} } = resource.metadata
    const id = webhookIdOf(name)
    const settings = resource.spec as unknown as NewWebhookInput
    // One that is called by its id keeps the name that it has.
    const mark = { labels, name: id === name ? stored?.mark.name : name }
    const wish = { id, settings, mark, secret }
    const checked = webhooks.check(wish, stored)
    if (!checked.ok) return { errors: placeErrors(checked.errors, PLACES) }
    const isSame = secret === undefined || stored?.hasSecret(secret)
    const next = nextMark(stored?.mark, mark)
    const change = changeUnlessEmpty({
      ...{ kind: 'Webhook', name, action: stored ? 'update' : 'create' },
      fields: [
        ...(stored
          ? diffMembers('/metadata', { name: stored.mark.name }, { name: next.name })
          : []),
        ...diffLabels(stored?.mark.labels, next.labels),
        ...diffSpec(stored?.settings, checked.value, settings),
      ],
      secret: isSame ? undefined : stored ? 'replace' : 'set',
      carryOut: (act) => declarations.putWebhook(wish, act),
    })
    return { errors: [], change }
  }

  return {
    kind: 'Webhook',
    identify: webhookIdOf,
    async judge(wanted) {
      const idOf = ({ resource }: WantedResource) => webhookIdOf(resource.metadata.name)
      const stored = await webhooks.readMany(wanted.map(idOf))
      const byId = new Map(stored.map((one) => [one.id, one]))
      return wanted.map((one) => judgeOne(one, byId.get(idOf(one))))
    },
    async *listStored(labels) {
      for await (const ids of webhooks.listIds(labels)) {
        yield (await webhooks.readMany(ids)).map((one) => toStored(one, management))
      }
    },
  }
}

function toStored(
  { id, settings, mark }: DeclaredWebhook,
  management: Pick<WebhookManagement, 'delete'>,
): StoredResource {
  const { url, events } = settings
  const defaults = draftWebhook({ url, events, allowPrivateNetwork: true })
  const known = defaults.ok ? { ...defaults.value, allowPrivateNetwork: false } : {}
  const name = mark.name ?? id
  const { labels } = mark
  return {
    name,
    identity: id,
    document: {
      apiVersion: API_VERSION,
      kind: 'Webhook',
      metadata: { name, ...(labels && { labels }) },
      spec: { url, events, ...withoutDefaults(settings, known, { url, events }) },
    },
    hasSecret: true,
    isMade: mark.made === true,
    removal: {
      ...{ kind: 'Webhook', name, action: 'remove', fields: [] },
      carryOut: (act) => management.delete(id, act),
    },
  }
}

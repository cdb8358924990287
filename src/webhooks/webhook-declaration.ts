// Webhooks as files that are applied say them: each by a name that the file chooses, from which its id
// follows, with the secret that is given for it. One webhook is written in one transaction, and what is so
// already is not written.

import { isDeepStrictEqual } from 'node:util'
import { refusingTaken } from '../database/already-taken.ts'
import { listAppliedIds } from '../database/applied-rows.ts'
import { guardDatabase } from '../database/database.ts'
import type { Prisma, Webhook as WebhookRow } from '../generated/prisma/client.ts'
import {
  type AppliedMark,
  type Labels,
  nextMark,
  type WantedMark,
} from '../runtime/applied-mark.ts'
import { digestId } from '../runtime/digest-id.ts'
import type { Checked, FieldError } from '../runtime/field-error.ts'
import { isUuid } from '../runtime/uuid.ts'
import type { WebhookSettings } from './webhook.ts'
import { draftWebhook, type NewWebhookInput } from './webhook-draft.ts'
import {
  addWebhookSecret,
  GIVEN_WEBHOOK_SECRET_RULE,
  isCurrentSecret,
  isWebhookSecret,
  sealSecrets,
  unsealSecrets,
} from './webhook-secret.ts'
import {
  inSecretChange,
  toColumns,
  toSealed,
  toWebhook,
  type WebhookStoreDependencies,
} from './webhook-store.ts'

export interface DeclaredWebhook {
  readonly id: string
  readonly settings: WebhookSettings
  readonly mark: AppliedMark
  /** Whether it is the one that signs. */
  hasSecret(secret: string): boolean
}

export interface WebhookWish {
  readonly id: string
  readonly settings: NewWebhookInput
  readonly mark: WantedMark
  /** Undefined leaves the secrets as they are. */
  readonly secret: string | undefined
}

/** What came of it; nothing where all was so already. */
export interface WebhookOutcome {
  readonly created: boolean
  /** The settings that were changed, and `labels`. */
  readonly changed: readonly string[]
  readonly rotated: boolean
}

/** Every method but `check` rejects with DependencyUnavailable. */
export interface WebhookDeclarations {
  /** Every fault of what is wished for, beside what is stored. */
  check(wish: WebhookWish, stored: DeclaredWebhook | undefined): Checked<WebhookSettings>
  readMany(ids: readonly string[]): Promise<readonly DeclaredWebhook[]>
  /** Without labels all webhooks. */
  listIds(labels: Labels | undefined): AsyncIterable<readonly string[]>
  /** Throws AlreadyTaken where somebody makes it at the same time. */
  put(wish: WebhookWish): Promise<Checked<WebhookOutcome>>
}

/** One that was made in another way is called by its id. */
export function webhookIdOf(name: string): string {
  return isUuid(name) ? name : digestId(`webhook ${name}`)
}

export function openWebhookDeclarations(
  dependencies: WebhookStoreDependencies,
): WebhookDeclarations {
  const { database } = dependencies

  function toDeclared(row: WebhookRow): DeclaredWebhook {
    const { url, events, description, status, allowPrivateNetwork } = toWebhook(row)
    const secrets = unsealSecrets(toSealed(row), row.id, dependencies.rootSecrets) ?? []
    return {
      id: row.id,
      settings: { url, events, description, status, allowPrivateNetwork },
      mark: row.applied as AppliedMark,
      hasSecret: (secret) => isCurrentSecret(secret, secrets),
    }
  }

  return {
    check: checkWish,

    async readMany(ids) {
      const { webhook } = await database.prisma()
      const where = { id: { in: [...ids] } }
      return (await guardDatabase(() => webhook.findMany({ where }))).map(toDeclared)
    },

    listIds: (labels) => listAppliedIds(database, 'webhooks', labels),

    async put(wish) {
      const changed = await inSecretChange(database, wish.id, async (tx, row) => {
        const stored = toDeclared(row)
        const checked = checkWish(wish, stored)
        if (!checked.ok) return checked
        const value = await changeWebhook(
          tx,
          { row, stored },
          { ...wish, settings: checked.value },
          dependencies,
        )
        return { ok: true as const, value }
      })
      return changed ?? (await makeWebhook(wish, dependencies))
    },
  }
}

function checkWish(
  { settings, secret }: WebhookWish,
  stored: DeclaredWebhook | undefined,
): Checked<WebhookSettings> {
  const checked = draftWebhook(settings)
  const fault = findSecretFault(secret, stored)
  const errors: FieldError[] = checked.ok ? [] : [...checked.errors]
  if (fault !== undefined) errors.push({ pointer: '/secret', detail: fault })
  return checked.ok && errors.length === 0 ? checked : { ok: false, errors }
}

function findSecretFault(
  secret: string | undefined,
  stored: DeclaredWebhook | undefined,
): string | undefined {
  if (secret !== undefined) return isWebhookSecret(secret) ? undefined : GIVEN_WEBHOOK_SECRET_RULE
  return stored ? undefined : 'is required: nobody could read one that is made here'
}

async function makeWebhook(
  wish: WebhookWish,
  { database, rootSecrets, clock }: WebhookStoreDependencies,
): Promise<Checked<WebhookOutcome>> {
  const checked = checkWish(wish, undefined)
  if (!checked.ok) return checked
  const now = new Date(clock())
  const data = {
    id: wish.id,
    ...toColumns(checked.value),
    ...sealSecrets(addWebhookSecret([], now.getTime(), wish.secret), wish.id, rootSecrets),
    applied: { ...nextMark(undefined, wish.mark) },
    createdAt: now,
    updatedAt: now,
  }
  const { webhook } = await database.prisma()
  await refusingTaken(() => guardDatabase(() => webhook.create({ data })))
  return { ok: true, value: { created: true, changed: [], rotated: false } }
}

async function changeWebhook(
  tx: Prisma.TransactionClient,
  { row, stored }: { readonly row: WebhookRow; readonly stored: DeclaredWebhook },
  wish: WebhookWish & { readonly settings: WebhookSettings },
  { rootSecrets, clock }: WebhookStoreDependencies,
): Promise<WebhookOutcome> {
  const mark = nextMark(stored.mark, wish.mark)
  const before = { ...stored.settings, labels: stored.mark }
  const after = { ...wish.settings, labels: mark }
  const names = Object.keys(after) as (keyof typeof after)[]
  const changed = names.filter((name) => !isDeepStrictEqual(before[name], after[name]))
  const rotated = wish.secret !== undefined && !stored.hasSecret(wish.secret)
  if (changed.length === 0 && !rotated) return { created: false, changed, rotated }
  const secrets = unsealSecrets(toSealed(row), row.id, rootSecrets) ?? []
  const nowMs = clock()
  const data = {
    ...toColumns(wish.settings),
    ...(rotated && sealSecrets(addWebhookSecret(secrets, nowMs, wish.secret), row.id, rootSecrets)),
    applied: { ...mark },
    updatedAt: new Date(nowMs),
  }
  await tx.webhook.update({ where: { id: row.id }, data })
  return { created: false, changed, rotated }
}

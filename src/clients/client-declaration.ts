// Clients as files that are applied say them: each by its id, as a whole, with the secret that is given for
// it. One client is written in one transaction, and what is so already is not written.

import { isDeepStrictEqual } from 'node:util'
import { refusingTaken } from '../database/already-taken.ts'
import { listAppliedIds } from '../database/applied-rows.ts'
import { type Database, guardDatabase } from '../database/database.ts'
import {
  type AppliedMark,
  type Labels,
  nextMark,
  type WantedMark,
} from '../runtime/applied-mark.ts'
import type { Checked, FieldError } from '../runtime/field-error.ts'
import {
  type ClientStoreDependencies,
  inChange,
  lockClient,
  type Transaction,
} from './client-change.ts'
import { type ClientChoices, usesSecret } from './client-choices.ts'
import { type ClientDraft, type ClientInput, draftClient } from './client-draft.ts'
import { isClientId } from './client-id.ts'
import { type MarkedClientRow, rowToDraft, WITH_SECRETS } from './client-row.ts'
import { CLIENT_SECRETS_MAX, GIVEN_SECRET, matchesClientSecret } from './client-secret.ts'
import { secretRow } from './client-secret-store.ts'
import { changedColumns, newColumns, publishClient } from './client-writes.ts'

export interface DeclaredClient {
  readonly id: string
  /** As it is stored: null follows the configuration. */
  readonly settings: ClientDraft
  readonly mark: AppliedMark
  readonly secretCount: number
  hasSecret(secret: string): boolean
}

export interface ClientWish {
  readonly id: string
  readonly settings: ClientInput
  readonly mark: WantedMark
  /** Stored as a hash; undefined leaves the secrets as they are. */
  readonly secret: string | undefined
}

/** What came of it; nothing where all was so already. */
export interface ClientOutcome {
  readonly created: boolean
  /** The settings that were changed, and `labels`. */
  readonly changed: readonly string[]
  readonly addedSecretIds: readonly string[]
  readonly removedSecretIds: readonly string[]
}

/** Every method but `check` rejects with DependencyUnavailable. */
export interface ClientDeclarations {
  /** Every fault of what is wished for, beside what is stored. */
  check(wish: ClientWish, stored: DeclaredClient | undefined): Checked<ClientDraft>
  readMany(ids: readonly string[]): Promise<readonly DeclaredClient[]>
  /** Without labels all clients. */
  listIds(labels: Labels | undefined): AsyncIterable<readonly string[]>
  /** Throws AlreadyTaken where somebody makes it at the same time. */
  put(wish: ClientWish): Promise<Checked<ClientOutcome>>
}

type Dependencies = ClientStoreDependencies & { readonly database: Pick<Database, 'pool'> }

export function openClientDeclarations(dependencies: Dependencies): ClientDeclarations {
  const { prisma, database } = dependencies
  return {
    check: (wish, stored) => checkWish(wish, stored, dependencies),

    async readMany(ids) {
      const { client } = await prisma()
      const query = { where: { id: { in: [...ids] } }, include: WITH_SECRETS }
      return (await guardDatabase(() => client.findMany(query))).map(toDeclared)
    },

    listIds: (labels) => listAppliedIds(database, 'clients', labels),

    put: (wish) => refusingTaken(() => inChange(prisma, (tx) => putClient(tx, wish, dependencies))),
  }
}

function toDeclared(row: MarkedClientRow): DeclaredClient {
  return {
    id: row.id,
    settings: rowToDraft(row),
    mark: row.applied as AppliedMark,
    secretCount: row.secrets.length,
    hasSecret: (secret) =>
      matchesClientSecret(
        secret,
        row.secrets.map(({ hash }) => Buffer.from(hash)),
      ),
  }
}

function checkWish(
  { id, settings, secret }: ClientWish,
  stored: DeclaredClient | undefined,
  { defaults, choices, reservedId }: Dependencies,
): Checked<ClientDraft> {
  const checked = draftClient(settings, defaults, choices)
  const errors: FieldError[] = checked.ok ? [] : [...checked.errors]
  if (!isClientId(id)) errors.push({ pointer: '/id', detail: 'cannot be the id of a client' })
  if (id === reservedId) {
    errors.push({
      pointer: '/id',
      detail: 'is that of the bootstrap client, which only settings make',
    })
  }
  const secretFault = checked.ok && findSecretFault(checked.value, stored, secret, choices)
  if (secretFault) errors.push({ pointer: '/secret', detail: secretFault })
  return checked.ok && errors.length === 0 ? checked : { ok: false, errors }
}

function findSecretFault(
  draft: ClientDraft,
  stored: DeclaredClient | undefined,
  secret: string | undefined,
  choices: ClientChoices,
): string | undefined {
  if (!usesSecret(draft, choices)) {
    return secret === undefined ? undefined : 'is of no use: none of its authMethods needs a secret'
  }
  if (secret !== undefined && !GIVEN_SECRET.pattern.test(secret))
    return `must be ${GIVEN_SECRET.rule}`
  const hasSecret = secret !== undefined || (stored !== undefined && stored.secretCount > 0)
  return hasSecret ? undefined : 'is required: the client proves itself by one, and none is stored'
}

async function putClient(
  tx: Transaction,
  wish: ClientWish,
  dependencies: Dependencies,
): Promise<Checked<ClientOutcome>> {
  const row = await lockClient(tx, wish.id)
  const checked = checkWish(wish, row ? toDeclared(row) : undefined, dependencies)
  if (!checked.ok) return checked
  const draft = checked.value
  if (!row) {
    const columns = newColumns(wish.id, draft, wish.secret, dependencies.clock)
    const data = { ...columns, applied: { ...nextMark(undefined, wish.mark) } }
    await publishClient(tx, await tx.client.create({ data, include: WITH_SECRETS }), dependencies)
    const secrets = { addedSecretIds: [], removedSecretIds: [] }
    return { ok: true, value: { created: true, changed: [], ...secrets } }
  }
  const changed = await changeClient(tx, row, draft, wish, dependencies)
  const secrets = await rotateSecret(tx, row, wish, dependencies)
  return { ok: true, value: { created: false, changed, ...secrets } }
}

/** The names of what was changed. */
async function changeClient(
  tx: Transaction,
  row: MarkedClientRow,
  draft: ClientDraft,
  wish: ClientWish,
  dependencies: Dependencies,
): Promise<string[]> {
  const { settings: before, mark } = toDeclared(row)
  const applied = nextMark(mark, wish.mark)
  const members = Object.keys(draft) as (keyof ClientDraft)[]
  const changed: string[] = members.filter((name) => !isDeepStrictEqual(draft[name], before[name]))
  if (!isDeepStrictEqual(applied, mark)) changed.push('labels')
  if (changed.length === 0) return changed
  const data = { ...changedColumns(draft, row, dependencies), applied: { ...applied } }
  const update = { where: { id: row.id }, data, include: WITH_SECRETS }
  await publishClient(tx, await tx.client.update(update), dependencies)
  return changed
}

/** The one before goes on working; of two the older one makes room. */
async function rotateSecret(
  tx: Transaction,
  row: MarkedClientRow,
  { secret }: ClientWish,
  { clock }: Pick<Dependencies, 'clock'>,
): Promise<Pick<ClientOutcome, 'addedSecretIds' | 'removedSecretIds'>> {
  if (secret === undefined || toDeclared(row).hasSecret(secret)) {
    return { addedSecretIds: [], removedSecretIds: [] }
  }
  const surplus = Math.max(0, row.secrets.length - CLIENT_SECRETS_MAX + 1)
  const removedSecretIds = row.secrets.slice(0, surplus).map(({ id }) => id)
  await tx.clientSecret.deleteMany({ where: { id: { in: removedSecretIds } } })
  const data = secretRow(secret, new Date(clock()))
  await tx.clientSecret.create({ data: { ...data, clientId: row.id } })
  return { addedSecretIds: [data.id], removedSecretIds }
}

// Files applied: read, planned, and carried out one resource at a time under the lock of migrations, so that
// two at once follow each other, and the second finds nothing left to do.

import type pg from 'pg'
import { withMigrationLock } from '../database/migration-lock.ts'
import { ManagementError } from '../management/management-error.ts'
import type { Act } from '../runtime/act.ts'
import type { Labels } from '../runtime/applied-mark.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { AlreadyTaken } from '../runtime/field-error.ts'
import type { Resource } from './declared-resource.ts'
import { type Plan, planResources } from './plan-resources.ts'
import type { KindOfResource, PlannedChange } from './planned-change.ts'
import type { SecretEnvironment } from './read-secret.ts'

/** Who acts in the events: no user and no client can have this id. */
const APPLY_ACT: Act = { by: 'lineage:apply' }

/** Waiting for another one included. */
const TIMEOUT_MS = 300_000

export interface ApplyDependencies {
  readonly pool: pg.Pool
  readonly kinds: readonly KindOfResource[]
  readonly env: SecretEnvironment
}

export interface ApplyOptions {
  readonly resources: readonly Resource[]
  readonly prune?: Labels | undefined
  /** Told in a sentence when a lock keeps it waiting. */
  readonly onWait?: (sentence: string) => void
  readonly onPlan?: (plan: Plan) => void
  /** Told of each change as soon as it is over. */
  readonly onOutcome?: (outcome: ChangeOutcome) => void
}

export interface ChangeOutcome extends Pick<PlannedChange, 'kind' | 'name' | 'action'> {
  /** `unfinished`: it stands, and an instance carries it to the sessions. */
  readonly outcome: 'done' | 'unfinished' | 'failed' | 'not_tried'
  /** Why it is not done. */
  readonly detail?: string
}

export interface ApplyReport {
  readonly plan: Plan
  readonly outcomes: readonly ChangeOutcome[]
}

/** The plan alone. Throws DeclarationRefused; rejects with DependencyUnavailable. */
export async function planFiles(
  { kinds, env }: Pick<ApplyDependencies, 'kinds' | 'env'>,
  { resources, prune }: Pick<ApplyOptions, 'resources' | 'prune'>,
): Promise<Plan> {
  return await planResources({ resources, kinds, env, prune })
}

/**
 * Throws DeclarationRefused, with nothing changed, where anything is wrong. What then fails is in the
 * report, and the others are carried out all the same, but for a database that is away: a repetition
 * does what is left.
 */
export async function applyFiles(
  dependencies: ApplyDependencies,
  options: ApplyOptions,
): Promise<ApplyReport> {
  const { pool } = dependencies
  const { onWait, onPlan, onOutcome } = options
  const lock = { timeoutMs: TIMEOUT_MS, ...(onWait && { onWait }) }
  return await withMigrationLock(pool, lock, async () => {
    const plan = await planFiles(dependencies, options)
    onPlan?.(plan)
    const outcomes: ChangeOutcome[] = []
    let isAway = false
    for (const change of plan.changes) {
      const failure: Failure | undefined = isAway ? undefined : await carryOut(change)
      const outcome = toOutcome(change, isAway ? { outcome: 'not_tried' } : failure)
      isAway ||= failure?.isAway === true
      outcomes.push(outcome)
      onOutcome?.(outcome)
    }
    return { plan, outcomes }
  })
}

interface Failure extends Pick<ChangeOutcome, 'outcome' | 'detail'> {
  /** Whether what comes after would fail for the same reason. */
  readonly isAway?: true
}

/** Undefined where it is done. */
async function carryOut(change: PlannedChange): Promise<Failure | undefined> {
  try {
    await change.carryOut(APPLY_ACT)
    return undefined
  } catch (error) {
    if (error instanceof DependencyUnavailable) {
      return { outcome: 'failed', detail: error.message, isAway: true }
    }
    if (error instanceof AlreadyTaken) {
      return { outcome: 'failed', detail: `${error.pointer.slice(1)} is taken already` }
    }
    if (!(error instanceof ManagementError)) throw error
    const details = error.errors.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`)
    const detail = [error.message, ...details].join('; ')
    return { outcome: error.code === 'unfinished' ? 'unfinished' : 'failed', detail }
  }
}

function toOutcome(
  { kind, name, action }: PlannedChange,
  { outcome, detail }: Pick<ChangeOutcome, 'outcome' | 'detail'> = { outcome: 'done' },
): ChangeOutcome {
  return { kind, name, action, outcome, ...(detail !== undefined && { detail }) }
}

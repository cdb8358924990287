// The plan: what becomes of every resource that the files name, and of those that they no longer name. It
// changes nothing, and is made only where nothing at all is wrong.

import type { Labels } from '../runtime/applied-mark.ts'
import { type DeclarationProblem, DeclarationRefused, problemsOf } from './declaration-problem.ts'
import type { Resource } from './declared-resource.ts'
import type { KindOfResource, PlannedChange, WantedResource } from './planned-change.ts'
import { findSecret, type SecretEnvironment } from './read-secret.ts'

export interface Plan {
  /** In the order in which they are carried out. */
  readonly changes: readonly PlannedChange[]
  /** How many resources are as the files say. */
  readonly unchanged: number
  /** Labelled and not named any more, and left alone, because no file has made them. */
  readonly kept: readonly Pick<PlannedChange, 'kind' | 'name'>[]
}

export interface PlanOptions {
  readonly resources: readonly Resource[]
  readonly kinds: readonly KindOfResource[]
  readonly env: SecretEnvironment
  /** Takes away what files with these labels have made and these files do not name. */
  readonly prune: Labels | undefined
}

/** Throws DeclarationRefused with every fault; rejects with DependencyUnavailable. */
export async function planResources(options: PlanOptions): Promise<Plan> {
  const { resources, kinds, prune } = options
  const problems: DeclarationProblem[] = findRepeats(resources, kinds)
  const changes: PlannedChange[] = []
  for (const kind of kinds) {
    const wanted = await findSecrets(
      resources.filter((resource) => resource.kind === kind.kind),
      options.env,
      problems,
    )
    const judgements = await kind.judge(wanted)
    for (const [index, { errors, change }] of judgements.entries()) {
      const { resource } = wanted[index] ?? {}
      if (resource) problems.push(...problemsOf(resource, errors))
      if (change) changes.push(change)
    }
  }
  if (problems.length > 0) throw new DeclarationRefused(problems)
  const unchanged = resources.length - changes.length
  if (!prune) return { changes, unchanged, kept: [] }
  const { removals, kept } = await findRemovals(resources, kinds, prune)
  return { changes: [...changes, ...removals], unchanged, kept }
}

async function findSecrets(
  resources: readonly Resource[],
  env: SecretEnvironment,
  problems: DeclarationProblem[],
): Promise<WantedResource[]> {
  const wanted: WantedResource[] = []
  for (const resource of resources) {
    const found = await findSecret(resource, env)
    if ('secret' in found) wanted.push({ resource, secret: found.secret })
    else problems.push(...problemsOf(resource, [found.error]))
  }
  return wanted
}

/** Two definitions of one resource are a fault, also where they say the same. */
function findRepeats(
  resources: readonly Resource[],
  kinds: readonly KindOfResource[],
): DeclarationProblem[] {
  const first = new Map<string, Resource>()
  return resources.flatMap((resource) => {
    const key = keyOf(resource, kinds)
    const before = first.get(key)
    if (!before) {
      first.set(key, resource)
      return []
    }
    const { file, lineOf } = before.place
    const detail = `is defined in ${file}:${lineOf('')} already`
    return problemsOf(resource, [{ pointer: '/metadata/name', detail }])
  })
}

function keyOf({ kind, metadata }: Resource, kinds: readonly KindOfResource[]): string {
  const identity = kinds.find((one) => one.kind === kind)?.identify(metadata.name)
  return `${kind} ${identity ?? metadata.name}`
}

/** What was made last goes first: nothing is left that names what is gone. */
async function findRemovals(
  resources: readonly Resource[],
  kinds: readonly KindOfResource[],
  labels: Labels,
): Promise<{ removals: PlannedChange[]; kept: Plan['kept'] }> {
  const named = new Set(resources.map((resource) => keyOf(resource, kinds)))
  const removals: PlannedChange[] = []
  const kept: Pick<PlannedChange, 'kind' | 'name'>[] = []
  for (const { kind, listStored } of kinds.toReversed()) {
    for await (const page of listStored(labels)) {
      for (const { name, identity, isMade, removal } of page) {
        if (named.has(`${kind} ${identity}`) || !removal) continue
        if (isMade) removals.push(removal)
        else kept.push({ kind, name })
      }
    }
  }
  return { removals, kept }
}

// What a kind of resource has to say to a plan: what becomes of each resource that files name, and which of
// those are stored that files have labelled.

import type { Act } from '../runtime/act.ts'
import type { Labels } from '../runtime/applied-mark.ts'
import type { FieldError } from '../runtime/field-error.ts'
import type { Resource, ResourceDocument, ResourceKind } from './declared-resource.ts'
import type { FieldChange } from './field-change.ts'

export interface PlannedChange {
  readonly kind: ResourceKind
  readonly name: string
  readonly action: 'create' | 'update' | 'remove' | 'disable'
  readonly fields: readonly FieldChange[]
  /** What becomes of the secret, of which nothing else is said. */
  readonly secret?: 'set' | 'replace' | undefined
  /** In one transaction; rejects as the management does. */
  carryOut(act: Act): Promise<void>
}

/** A resource with its secret, as it is to be. */
export interface WantedResource {
  readonly resource: Resource
  readonly secret: string | undefined
}

/** What becomes of one: an error, a change, or nothing where it is so already. */
export interface Judgement {
  readonly errors: readonly FieldError[]
  readonly change?: PlannedChange | undefined
}

/** One that is stored. */
export interface StoredResource {
  readonly name: string
  /** What `KindOfResource.identify` gives for its name. */
  readonly identity: string
  readonly document: ResourceDocument
  /** Whether there is a secret, which is never told. */
  readonly hasSecret: boolean
  /** Whether a file has made it. */
  readonly isMade: boolean
  /** What pruning it would do; undefined where that was done. */
  readonly removal: PlannedChange | undefined
}

/** Rejects with DependencyUnavailable. */
export interface KindOfResource {
  readonly kind: ResourceKind
  /** The same for all names of one resource. */
  identify(name: string): string
  /** A judgement for each, in order. */
  judge(wanted: readonly WantedResource[]): Promise<readonly Judgement[]>
  /** Without labels all there are, page by page. */
  listStored(labels: Labels | undefined): AsyncIterable<readonly StoredResource[]>
}

/** Faults that the domain tells by the members of a body, as pointers into the resource. */
export function placeErrors(
  errors: readonly FieldError[],
  places: Readonly<Record<string, string>>,
): FieldError[] {
  return errors.map(({ pointer, detail }) => ({
    pointer: places[pointer] ?? `/spec${pointer}`,
    detail,
  }))
}

/** Undefined where there is nothing to change. */
export function changeUnlessEmpty(change: PlannedChange): PlannedChange | undefined {
  return change.action === 'update' && change.fields.length === 0 && !change.secret
    ? undefined
    : change
}

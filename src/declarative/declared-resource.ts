// One resource as a file says it, and where it stands there.

import type { Labels } from '../runtime/applied-mark.ts'

/** In the order in which they are brought about: clients name trusted issuers. */
export const RESOURCE_KINDS = ['TrustedIssuer', 'Client', 'User', 'Webhook'] as const

export type ResourceKind = (typeof RESOURCE_KINDS)[number]

/** The form of the files, which every resource names. */
export const API_VERSION = 'lineage/v1'

/** Where a secret is: exactly one of the two. */
export interface SecretSource {
  /** Relative to the folder of the file that names it. */
  readonly file?: string
  readonly env?: string
}

/** What the schema has let through. */
export interface ResourceDocument {
  readonly apiVersion: typeof API_VERSION
  readonly kind: ResourceKind
  readonly metadata: { readonly name: string; readonly labels?: Labels }
  /** The members of the body of the admin API. */
  readonly spec: Readonly<Record<string, unknown>>
  readonly secretFrom?: SecretSource
}

export interface Resource extends ResourceDocument {
  readonly place: ResourcePlace
}

export interface ResourcePlace {
  /** As it was named; `stdin` where it was that. */
  readonly file: string
  /** What relative paths begin at. */
  readonly folder: string
  /** The line of a JSON Pointer into the resource, or of what is around it. */
  lineOf(pointer: string): number
}

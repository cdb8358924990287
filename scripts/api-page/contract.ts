// The contract, openapi.yaml: the types name what its page shows, not all of OpenAPI 3.1.

export interface Ref {
  readonly $ref: string
}

export interface Schema {
  readonly title?: string
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly items?: Schema | Ref
  readonly properties?: Readonly<Record<string, Schema | Ref>>
  readonly required?: readonly string[]
  readonly oneOf?: readonly (Schema | Ref)[]
  readonly allOf?: readonly (Schema | Ref)[]
}

export interface Example {
  readonly summary: string
  readonly value: unknown
}

export interface Media {
  readonly schema: Schema | Ref
  readonly examples?: Readonly<Record<string, Example | Ref>>
}

export type Content = Readonly<Record<string, Media>>

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description: string
  readonly schema: Schema | Ref
  readonly example?: unknown
}

export interface Header {
  readonly description: string
}

export interface Answer {
  readonly description: string
  readonly headers?: Readonly<Record<string, Header | Ref>>
  readonly content?: Content
}

export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly (Parameter | Ref)[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, Answer | Ref>>
}

export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

export interface PathItem extends Partial<Record<(typeof METHODS)[number], Operation>> {
  readonly servers?: readonly Server[]
  readonly parameters?: readonly (Parameter | Ref)[]
  /** The setting without which the path is not there. */
  readonly 'x-lineage-needs'?: string
}

export interface Server {
  readonly url: string
  readonly description?: string
}

export interface Contract {
  readonly info: {
    readonly title: string
    readonly version: string
    readonly summary: string
    readonly description: string
  }
  readonly servers: readonly Server[]
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, PathItem>>
  readonly webhooks: Readonly<Record<string, PathItem>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** What a reference within the contract points to, or the value itself. */
export function follow<T extends object>(contract: Contract, value: T | Ref): T {
  if (!isRef(value)) return value
  const keys = value.$ref.replace(/^#\//, '').split('/')
  let found: unknown = contract
  for (const key of keys) found = (found as Record<string, unknown> | undefined)?.[key]
  if (found === undefined) throw new Error(`the contract has no ${value.$ref}`)
  return follow(contract, found as T | Ref)
}

export function isRef(value: object): value is Ref {
  return '$ref' in value
}

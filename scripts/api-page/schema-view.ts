// Schemas on the page: a shape has a place of its own, to which others link; everything else is said
// where it is used.

import { type Contract, follow, isRef, type Ref, type Schema } from './contract.ts'
import { type Html, html, join } from './html.ts'
import { inline, prose } from './prose.ts'

/** A longer list of values is a shape, so that it is shown once. */
const INLINE_VALUES_MAX = 6

/** The named schemas with a place of their own. */
export function listShapes({ components }: Contract): (readonly [name: string, schema: Schema])[] {
  return Object.entries(components.schemas).filter(([, schema]) => isShape(schema))
}

function isShape({ properties, enum: values = [] }: Schema): boolean {
  return properties !== undefined || values.length > INLINE_VALUES_MAX
}

/** One shape, or the body of a request: what it is, and its members or values. */
export function viewSchema(contract: Contract, schema: Schema | Ref): Html {
  const { description, properties, oneOf, enum: values, ...rest } = follow(contract, schema)
  if (oneOf && !properties) {
    return html`${oneOf.map((one) => {
      const { title } = follow(contract, one)
      return html`<h5>${title}</h5>${viewSchema(contract, one)}`
    })}`
  }
  const members = Object.entries(properties ?? {}).map(([name, member]) =>
    viewMember(contract, { name, schema: member, isRequired: rest.required?.includes(name) }),
  )
  return html`${prose(description)}${members.length > 0 ? html`<ul class="members">${members}</ul>` : undefined}${
    values ? html`<p class="values">${listValues(values)}</p>` : undefined
  }`
}

export interface Member {
  readonly name: string
  readonly schema: Schema | Ref
  readonly isRequired: boolean | undefined
  /** Says more than the schema's own. */
  readonly description?: string
  readonly example?: unknown
}

/** One member of an object, or one parameter. */
export function viewMember(contract: Contract, member: Member): Html {
  const schema = follow(contract, member.schema)
  const isLinked = isRef(member.schema) && isShape(schema)
  const description = member.description ?? (isLinked ? undefined : schema.description)
  const inner = isLinked ? undefined : innerObject(contract, schema)
  return html`<li><div class="member"><code class="name">${member.name}</code> ${
    member.isRequired ? html`<span class="required">required</span> ` : undefined
  }<span class="type">${viewType(contract, member.schema)}</span></div>${
    description === undefined ? undefined : html`<div class="about">${inline(description)}</div>`
  }${viewLimits(contract, schema, member.example)}${inner && viewSchema(contract, inner)}</li>`
}

/** The type in a few words, with links to shapes. */
export function viewType(contract: Contract, value: Schema | Ref): Html {
  const schema = follow(contract, value)
  if (isRef(value) && isShape(schema)) {
    const name = value.$ref.split('/').at(-1) ?? ''
    return html`<a href="#shape-${name}">${name}</a>`
  }
  const { type, format, oneOf, allOf, items, const: only } = schema
  if (only !== undefined) return html`<code>${JSON.stringify(only)}</code>`
  const [first] = allOf ?? []
  if (first) return viewType(contract, first)
  if (oneOf) {
    const types = oneOf.map((one) => viewType(contract, one))
    return html`${join(types, ' or ')}`
  }
  const names = [type ?? []].flat().map((name) => {
    if (name === 'array' && items) return html`array of ${viewType(contract, items)}`
    return html`${name === 'string' && format ? `string (${format})` : name}`
  })
  return html`${join(names, ' or ')}`
}

/** An object without a name, in the member itself or in each of its items. */
function innerObject(contract: Contract, schema: Schema): Schema | undefined {
  if (schema.properties) return schema
  if (!schema.items || isRef(schema.items)) return undefined
  const items = follow(contract, schema.items)
  return items.properties && items
}

/** What values there may be, in words. */
function viewLimits(contract: Contract, schema: Schema, example: unknown): Html | undefined {
  const items = schema.items && follow(contract, schema.items)
  const isOwnList = !(schema.items && isRef(schema.items) && items && isShape(items))
  const values = (schema.enum ?? (isOwnList ? items?.enum : undefined))?.filter(
    (value) => value !== null,
  )
  const limits = [
    values && !isShape(schema)
      ? html`${items ? 'each of' : 'one of'} ${listValues(values)}`
      : undefined,
    schema.default === undefined
      ? undefined
      : html`default <code>${JSON.stringify(schema.default)}</code>`,
    range(schema.minimum, schema.maximum, ''),
    range(schema.minLength, schema.maxLength, 'characters'),
    range(schema.minItems, schema.maxItems, 'items'),
    ...((schema.pattern ?? items?.pattern)
      ? [html`matches <code>${schema.pattern ?? items?.pattern}</code>`]
      : []),
    ...(example === undefined ? [] : [html`such as <code>${String(example)}</code>`]),
  ].filter((limit) => limit !== undefined)
  return limits.length > 0 ? html`<div class="limits">${join(limits, ' · ')}</div>` : undefined
}

function range(min: number | undefined, max: number | undefined, unit: string): Html | undefined {
  if (min === undefined && max === undefined) return undefined
  if (max === undefined) return html`at least ${min} ${unit}`
  if (min === undefined) return html`at most ${max} ${unit}`
  return html`${min} to ${max} ${unit}`
}

function listValues(values: readonly unknown[]) {
  return join(
    values.map((value) => html`<code>${String(value)}</code>`),
    ' ',
  )
}

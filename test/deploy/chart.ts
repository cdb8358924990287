// The Helm chart's own files as data: what it lets be set, and what its README and its templates say
// of that. What Helm makes of them is seen in test/interop/helm-chart.test.ts.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export const CHART = fileURLToPath(new URL('../../deploy/helm/lineage', import.meta.url))

/** As much of JSON Schema as the chart's uses to nest. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly definitions?: Readonly<Record<string, Schema>>
}

export type Values = Readonly<Record<string, unknown>>

export function readChartFile(name: string): string {
  return readFileSync(join(CHART, name), 'utf8')
}

/** YAML 1.1, as Helm reads it. */
export function readValues(): Values {
  return parse(readChartFile('values.yaml'), { version: '1.1' }) as Values
}

export function readValuesSchema(): Schema {
  return JSON.parse(readChartFile('values.schema.json')) as Schema
}

/** Follows a reference to a definition. */
export function resolve(schema: Schema, root: Schema): Schema {
  const name = schema.$ref?.replace('#/definitions/', '')
  return name === undefined ? schema : (root.definitions?.[name] ?? {})
}

/** Each value that is set as a whole, by its path: what our schema does not look into is one. */
export function listValues(): Map<string, unknown> {
  const root = readValuesSchema()
  const leaves = new Map<string, unknown>()
  const walk = (value: unknown, schema: Schema, path: string): void => {
    const { properties } = resolve(schema, root)
    if (!properties || path === 'settings') {
      leaves.set(path, value)
      return
    }
    for (const [name, inner] of Object.entries(value as Values)) {
      walk(inner, properties[name] ?? {}, path === '' ? name : `${path}.${name}`)
    }
  }
  walk(readValues(), root, '')
  return leaves
}

/** The settings that templates write from values of their own. */
export function listOwnSettings(): string[] {
  const text = readChartFile('templates/_settings.tpl')
  return [...text.matchAll(/^([A-Z][A-Z_]+): /gm)].map(([, name = '']) => name)
}

/** The settings that the pods have as files, from `secrets`. */
export function listSecretSettings(): string[] {
  const text = readChartFile('templates/_settings.tpl')
  return [...text.matchAll(/variable: (\w+)_FILE\b/g)].map(([, name = '']) => name)
}

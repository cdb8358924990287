// The Helm chart without Helm: its version, its values, their schema and their README are one.

import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { test } from 'tap'
import { parse } from 'yaml'
import { listValues, readChartFile, readValues, readValuesSchema, type Schema } from './chart.ts'

const CELL_MAX = 60

const schema = readValuesSchema()
const isValid = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(schema)

/** Lines of the table of values: path, default, meaning. */
function readTable(): string[][] {
  const [, section = ''] = readChartFile('README.md').split('## Values\n')
  const lines = section.split('\n').filter((line) => line.startsWith('| `'))
  return lines.map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
}

test('the chart is of the release', async (t) => {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  t.match(parse(readChartFile('Chart.yaml')), { version, appVersion: version })
})

test('the schema takes the defaults, and refuses what is misspelt at each level of ours', async (t) => {
  t.ok(isValid(readValues()), JSON.stringify(isValid.errors))
  let seen = 0
  const walk = (one: Schema, path: string): void => {
    if (one.properties) {
      seen += 1
      t.equal(one.additionalProperties, false, path)
    }
    for (const [name, inner] of Object.entries({ ...one.properties, ...one.definitions })) {
      walk(inner, `${path}/${name}`)
    }
  }
  walk(schema, '')
  t.ok(seen > 20, 'the levels were found')
  t.notOk(isValid({ ...readValues(), ingres: {} }))
  t.notOk(isValid({ ...readValues(), containerPorts: { http: 3000, ops: '9000' } }))
  t.notOk(isValid({ ...readValues(), migrations: { mode: 'off' } }))
})

test('every value that the schema knows has a default, but for those of charts above', async (t) => {
  const missing: string[] = []
  const walk = (value: unknown, { properties, $ref }: Schema, path: string): void => {
    const inner = $ref ? schema.definitions?.[$ref.replace('#/definitions/', '')] : undefined
    for (const [name, one] of Object.entries(properties ?? inner?.properties ?? {})) {
      const has = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      if (!has) missing.push(`${path}${name}`)
      else walk((value as Record<string, unknown>)[name], one, `${path}${name}.`)
    }
  }
  walk(readValues(), { ...schema, properties: { ...schema.properties, settings: {} } }, '')
  t.strictSame(missing, ['global'])
})

test('the README has every value with its default, and no other', async (t) => {
  const expected = [...listValues()].map(([path, value]) => {
    const text = JSON.stringify(value)
    return [`\`${path}\``, text.length <= CELL_MAX ? `\`${text}\`` : 'see values.yaml']
  })
  t.strictSame(
    readTable().map(([path, value]) => [path, value]),
    expected,
  )
  for (const [path, , meaning] of readTable()) t.ok(meaning, `${path} has a meaning`)
})

test('the examples of the README are valid, beside the defaults', async (t) => {
  const examples = [...readChartFile('README.md').matchAll(/```yaml\n([\s\S]*?)```/g)]
  for (const [, example = ''] of examples) {
    t.ok(isValid(parse(example, { version: '1.1' })), JSON.stringify(isValid.errors))
  }
  t.ok(examples.length > 1, 'the examples were found')
})

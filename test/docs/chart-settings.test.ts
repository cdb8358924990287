// Every setting of the service can be given by the Helm chart, in one way, and no other can.

import { test } from 'tap'
import { CONFIG_TABLE } from '../../src/config/config-table.ts'
import type { Setting } from '../../src/config/setting.ts'
import { TELEMETRY_TABLE } from '../../src/config/telemetry-table.ts'
import {
  listOwnSettings,
  listSecretSettings,
  readChartFile,
  readValuesSchema,
} from '../deploy/chart.ts'

/** Secrets that the chart has no value for: they are for `extraEnv`, where they differ from the one for all. */
const SPECIAL = /^OTEL_EXPORTER_OTLP_(TRACES|METRICS)_HEADERS$/
const TABLE = Object.entries<Setting<unknown>>({ ...CONFIG_TABLE, ...TELEMETRY_TABLE }).filter(
  ([name]) => !SPECIAL.test(name),
)
const SCHEMA = 'deploy/helm/lineage/values.schema.json'

test('each is a value of its own, a secret, or in the schema of settings', async (t) => {
  const { settings } = readValuesSchema().properties ?? {}
  const inSchema = Object.keys(settings?.properties ?? {})
  const given = [...inSchema, ...listOwnSettings(), ...listSecretSettings()]
  t.equal(new Set(given).size, given.length, 'none in two ways')
  const known = TABLE.map(([name]) => name)
  t.strictSame(
    known.filter((name) => !given.includes(name)),
    [],
    `a new setting goes into ${SCHEMA}, below settings; a secret into templates/_settings.tpl`,
  )
  t.strictSame(
    given.filter((name) => !known.includes(name)),
    [],
    'the service knows them all',
  )
})

test('what is a secret is a file, and nothing else is', async (t) => {
  const secrets = TABLE.filter(([, { isSecret }]) => isSecret).map(([name]) => name)
  t.strictSame(listSecretSettings().sort(), secrets.sort())
})

test("the chart's README names each that has a value of its own", async (t) => {
  const [, section = ''] = readChartFile('README.md').split('## Settings\n')
  const rows = section.split('\n## ')[0]?.split('\n') ?? []
  const named = rows
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)])
    .map(([, name = '']) => name)
  t.strictSame(named.sort(), [...listOwnSettings(), ...listSecretSettings()].sort())
})

// The rules of deploy/prometheus and their unit tests, as data.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ROOT } from '../support/repository-text.ts'

const FOLDER = join(ROOT, 'deploy/prometheus')

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface RecordingRule {
  readonly record: string
  readonly expr: string
}

/** A test of `promtool test rules`, as far as ours use it. */
export interface RuleTest {
  readonly name: string
  readonly promql_expr_test: readonly {
    readonly expr: string
    readonly exp_samples?: readonly { readonly labels: string; readonly value: number }[]
  }[]
}

function readAll(folder: string): { file: string; content: unknown }[] {
  return readdirSync(join(FOLDER, folder)).map((file) => ({
    file,
    content: parse(readFileSync(join(FOLDER, folder, file), 'utf8')),
  }))
}

function readRules(): (AlertRule | RecordingRule)[] {
  return readAll('rules').flatMap(({ content }) => {
    const { groups } = content as { groups: { rules: (AlertRule | RecordingRule)[] }[] }
    return groups.flatMap(({ rules }) => rules)
  })
}

export function readAlerts(): AlertRule[] {
  return readRules().filter((rule): rule is AlertRule => 'alert' in rule)
}

export function readRecordings(): RecordingRule[] {
  return readRules().filter((rule): rule is RecordingRule => 'record' in rule)
}

export function readRuleTests(): RuleTest[] {
  return readAll('tests').flatMap(({ content }) => (content as { tests: RuleTest[] }).tests)
}

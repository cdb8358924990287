// What promtool, of Debian, says of deploy/prometheus: the rules are valid, their unit tests pass, and
// Prometheus would take the example.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../support/repository-text.ts'
import { requirePrograms } from './gateways/debian-package.ts'

const PROMTOOL = requirePrograms({ prometheus: '/usr/bin/promtool' })
const FOLDER = join(ROOT, 'deploy/prometheus')

function promtool(...args: string[]): { status: number | null; said: string } {
  // It has little that lives long and much that does not: collected at each doubling, an eighth of its
  // time is for that.
  const env = { ...process.env, GOGC: '400' }
  const options = { cwd: FOLDER, env, encoding: 'utf8' } as const
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, options)
  return { status, said: `${stdout}${stderr}` }
}

function filesOf(folder: string): string[] {
  return readdirSync(join(FOLDER, folder)).map((file) => join(folder, file))
}

test('the rules are valid', async (t) => {
  const { status, said } = promtool('check', 'rules', '--lint-fatal', ...filesOf('rules'))
  t.equal(status, 0, said)
})

test('the unit tests of the rules pass', async (t) => {
  for (const file of filesOf('tests')) {
    const { status, said } = promtool('test', 'rules', file)
    t.equal(status, 0, said)
  }
})

test('the example is what Prometheus takes', async (t) => {
  const { status, said } = promtool('check', 'config', 'prometheus.yml')
  t.equal(status, 0, said)
})

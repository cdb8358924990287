// On what a long run was made, as its block of docs/reliability.md begins.

import { spawnSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import { ROOT } from './repository-text.ts'

/** The day, the commit, the version of Node, the cores, and how busy they were in the last five minutes. */
export function runFacts(): string {
  const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' })
  const day = new Date().toISOString().slice(0, 10)
  const commit = git.stdout?.trim() || 'unknown'
  const load = Math.round(loadavg()[1] ?? 0)
  return `Run on ${day} at ${commit}, Node ${process.version}, ${availableParallelism()} cores with a load of ${load}`
}

// A program of ours that runs to its end or is killed before: the command `lineage`, mostly.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { spawnCommand } from '../support/command-line.ts'
import { type Environment, spawnLineage } from '../support/lineage-process.ts'
import type { Scope } from '../support/scope.ts'
import type { Fuse } from './fuse.ts'
import type { Damage } from './invariants.ts'

interface Ended {
  /** Null where it was killed. */
  readonly code: number | null
  readonly said: string
}

/** Runs the command under the fuse, which is out when the command has come to its end before. */
export async function runUnderFuse(
  scope: Scope,
  env: Environment,
  args: readonly string[],
  { fuse, kill }: { readonly fuse: Fuse; readonly kill: (child: ChildProcess) => void },
): Promise<Ended> {
  const child = spawnCommand(scope, env, args)
  fuse.light(() => kill(child))
  const ended = await endOf(child)
  fuse.burnOut()
  return ended
}

/** Does what an operator does after a crash: the same command again, which has to come to its end. */
export async function repeatCommand(
  scope: Scope,
  env: Environment,
  args: readonly string[],
): Promise<Damage[]> {
  const { code, said } = await endOf(spawnCommand(scope, env, args))
  if (code === 0) return []
  return [{ invariant: 'act_repeatable', detail: `${args.join(' ')}: ${code} ${said}` }]
}

/** A start that is killed, or that is ready and then ended. */
export async function startUnderFuse(scope: Scope, env: Environment, fuse: Fuse): Promise<void> {
  const service = await spawnLineage(scope, env)
  fuse.light(() => service.signal('SIGKILL'))
  await service.ready().catch(() => {})
  fuse.burnOut()
  await service.exited
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const { stdin, stdout, stderr } = child
  stdin?.on('error', () => {})
  stdin?.end()
  const exited = once(child, 'close')
  const [out, err] = await Promise.all([stdout && text(stdout), stderr && text(stderr)])
  const [code] = (await exited) as [number | null]
  return { code, said: `${out}${err}`.trim().slice(-400) }
}

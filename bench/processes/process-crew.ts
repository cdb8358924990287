// The processes that share one login: started, listened to, stopped.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Scope } from '../../test/support/scope.ts'
import { until } from '../../test/support/until.ts'

const PROGRAM = join(import.meta.dirname, 'one-process.mjs')
/** Only so that a run that hangs says so. */
const TIME_LIMIT_MS = 300_000

interface Use {
  readonly use: 'answered' | 'refused' | 'gone'
  /** Of the refresh token that was given. */
  readonly token?: string
}

export interface Crew {
  /** Every use so far, by its process. */
  readonly uses: readonly (readonly Use[])[]
  /** Resolves when each process has used the login `times` more often, or has lost it. */
  eachUsed(times: number): Promise<void>
  /** Resolves when that many different refresh tokens were given, or everybody has lost the login. */
  given(tokens: number): Promise<void>
  /** Lets each finish its use, and resolves when all have ended. */
  stop(): Promise<void>
}

export function startCrew(t: Scope, size: number, env: Readonly<Record<string, string>>): Crew {
  const members = Array.from({ length: size }, () => startMember(t, env))
  const uses = members.map((member) => member.uses)
  const isGone = (of: readonly Use[]) => of.at(-1)?.use === 'gone'

  function checkMembers(): void {
    const failed = members.find(({ uses, child }) => child.exitCode !== null && !isGone(uses))
    if (failed) throw new Error('a process has failed')
  }

  return {
    uses,
    async eachUsed(times) {
      const wanted = uses.map((of) => of.length + times)
      const isDone = () => {
        checkMembers()
        return uses.every((of, i) => isGone(of) || of.length >= (wanted[i] ?? 0))
      }
      await until('uses by each process', isDone, TIME_LIMIT_MS)
    },
    async given(tokens) {
      const isDone = () => {
        checkMembers()
        return countTokens(uses) >= tokens || uses.every(isGone)
      }
      await until('that many refresh tokens', isDone, TIME_LIMIT_MS)
    },
    async stop() {
      await Promise.all(members.map(({ stop }) => stop()))
    },
  }
}

/** How many different refresh tokens were given. */
export function countTokens(uses: Crew['uses']): number {
  return new Set(uses.flat().flatMap(({ token }) => token ?? [])).size
}

function startMember(t: Scope, env: Readonly<Record<string, string>>) {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [PROGRAM], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  // Whoever has lost the login has ended before it is told to.
  child.stdin.on('error', () => {})
  const uses: Use[] = []
  createInterface(child.stdout).on('line', (line) => uses.push(JSON.parse(line) as Use))
  const closed = once(child, 'close')
  return {
    child,
    uses,
    async stop() {
      child.stdin.end()
      await closed
    },
  }
}

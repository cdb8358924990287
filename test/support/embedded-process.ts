// The embedded PostgreSQL in a process of its own, which a test may kill or run as another account.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { findPostgresPackage } from '../../src/embedded/postgres-binaries.ts'
import type { EmbeddedPostgresOptions } from '../../src/embedded/postgres-server.ts'
import type { Account } from '../../src/embedded/server-account.ts'
import { makeServerDir } from './temp-dir.ts'

export interface EmbeddedProcess {
  readonly pid: number
  /** What the child printed: the database's URL, or why it did not start. */
  readonly url: string | undefined
  readonly error: string | undefined
  /** SIGKILL; resolves when the process is gone. Its database may still be at work. */
  kill(): Promise<void>
  /** A clean stop. */
  end(): Promise<void>
}

export interface ChildOptions extends Partial<EmbeddedPostgresOptions> {
  readonly dataDir: string
  /** Holds the data directory and starts nothing. */
  readonly lockOnly?: boolean
}

/** Resolves when the child has started or has failed to. It leads a process group of its own. */
export async function runEmbeddedChild(
  t: Test,
  options: ChildOptions,
  account?: Account,
): Promise<EmbeddedProcess> {
  const child = spawnEmbeddedChild(t, options, account)
  const line = await firstLine(child)
  const { url, error } = JSON.parse(line)
  const exited = once(child, 'exit')
  return {
    pid: child.pid ?? 0,
    url,
    error,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async end() {
      child.stdin?.end()
      await exited
    },
  }
}

/** The same without waiting, for tests that kill it before it is ready. */
export function spawnEmbeddedChild(
  t: Test,
  options: ChildOptions,
  account?: Account,
): ChildProcess {
  // From where the bundle lies it would find no package.
  const all = JSON.stringify({ packageDir: findPostgresPackage(), ...options })
  // tap makes every Node child report to a directory that another account may not write to.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, bundle(), all], {
    cwd: '/',
    detached: true,
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'pipe', 'inherit'],
    ...account,
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the child has no output')
  for await (const line of createInterface(child.stdout)) return line
  throw new Error('the child ended without a word')
}

let bundled: string | undefined

/** One file that any account can read: the checkout may be private to us. */
function bundle(): string {
  if (bundled) return bundled
  // esbuild comes with tsx.
  const tsx = createRequire(import.meta.url).resolve('tsx/package.json')
  const esbuild: typeof import('esbuild') = createRequire(tsx)('esbuild')
  bundled = join(makeServerDir(), 'embedded-child.mjs')
  esbuild.buildSync({
    entryPoints: [join(import.meta.dirname, 'embedded-child.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: bundled,
  })
  chmodSync(bundled, 0o644)
  return bundled
}

// The command `lineage-conformance`: its bin as a process of its own, or, much faster, in this one.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { runCommandLine } from '../src/command-line.ts'

export const BIN = join(import.meta.dirname, '../bin/lineage-conformance.mjs')

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the bin to its end, in a folder that is not the repository. */
export async function runBin(
  t: Test,
  args: readonly string[],
  { env = {}, input = '' }: { env?: Readonly<Record<string, string>>; input?: string } = {},
): Promise<CommandResult> {
  // tap would load itself into every Node child, with signal handlers of its own.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', BIN, ...args], {
    // Not `t.testdir()`, which would empty the folder of the same name that the test has filled.
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const closed = once(child, 'close')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await closed
  return { code, stdout, stderr }
}

export async function runHere(args: readonly string[], input = ''): Promise<CommandResult> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const stdin = Readable.from([Buffer.from(input)])
  const code = await runCommandLine(args, { stdin, stdout, stderr })
  stdout.end()
  stderr.end()
  return { code, stdout: await text(stdout), stderr: await text(stderr) }
}

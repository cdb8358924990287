// The command `lineage` as a process of its own: `src/cli.ts` with arguments, an environment and
// something on standard input.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { runCommandLine } from '../../src/cli/run-command-line.ts'
import type { Environment } from './lineage-process.ts'
import type { Scope } from './scope.ts'
import { sourceArguments } from './source-process.ts'

const ROOT = dirname(dirname(import.meta.dirname))
const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

const SMALL_HASHES = { LINEAGE_ARGON2_MEMORY_KIB: '1024', LINEAGE_ARGON2_TIME: '1' }

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs it to its end; without `input` standard input is empty. */
export async function runCommand(
  t: Test,
  env: Environment,
  args: readonly string[],
  input = '',
): Promise<CommandResult> {
  const child = spawnCommand(t, env, args)
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const exited = once(child, 'close')
  const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr)])
  const [code] = await exited
  return { code, stdout, stderr }
}

/** The same in this process, much faster: for what needs neither a process nor its end. */
export async function runHere(
  env: Environment,
  args: readonly string[],
  input = '',
): Promise<CommandResult> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const stdin = Readable.from([Buffer.from(input)])
  const all = { ...SMALL_HASHES, ...env }
  const code = await runCommandLine(args, { env: all, stdin, stdout, stderr })
  stdout.end()
  stderr.end()
  return { code, stdout: await text(stdout), stderr: await text(stderr) }
}

/** Runs it here with `--json`, expects `code` and gives the one document that it prints. */
export async function runJson<T = unknown>(
  t: Test,
  env: Environment,
  args: readonly string[],
  { input = '', code = 0 }: { input?: string; code?: number } = {},
): Promise<T> {
  const result = await runHere(env, [...args, '--json'], input)
  t.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`)
  return JSON.parse(result.stdout) as T
}

export function spawnCommand(t: Scope, env: Environment, args: readonly string[]): ChildProcess {
  // tap would load itself into every Node child, with signal handlers of its own.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, ...sourceArguments(CLI), ...args]
  const child = spawn('env', command, {
    cwd: ROOT,
    env: { ...SMALL_HASHES, PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

function readAll(stream: ChildProcess['stdout']): Promise<string> {
  return stream ? text(stream) : Promise.resolve('')
}

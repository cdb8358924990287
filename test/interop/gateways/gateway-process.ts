// A gateway as a child process in the foreground, with the configuration that the examples ship. Of
// the files only the addresses of examples/gateways/README.md are replaced, letter by letter.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { makeServerDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'

export const EXAMPLES = join(import.meta.dirname, '../../../examples/gateways')

const START_ATTEMPTS = 3
const START_TIMEOUT_MS = 15_000
const ANSWER_TIMEOUT_MS = 2_000
const STOP_TIMEOUT_MS = 5_000

export interface Addresses {
  readonly lineagePort: number
  readonly upstreamPort: number
  readonly issuer: string
}

export interface GatewayOptions {
  /** The folder under examples/gateways. */
  readonly name: string
  readonly program: string
  /** What to start it with; `dir` is a copy of the folder. */
  readonly args: (dir: string) => readonly string[]
  readonly addresses: Addresses
  /** Further replacements, each of which must be found. */
  readonly replace?: Readonly<Record<string, string>>
  /** Puts what the README tells an operator to put beside the configuration. */
  readonly prepare?: (dir: string) => Promise<void> | void
  readonly env?: Readonly<Record<string, string>>
}

export interface Gateway {
  readonly port: number
  readonly dir: string
  readonly pid: number
  /** What it has printed so far, to both streams. */
  output(): string
}

/** Starts it on a free port, waits until it answers, ends it with the test. */
export async function startGateway(t: Test, options: GatewayOptions): Promise<Gateway> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort()
    const dir = await renderExample(options, port)
    const gateway = launch(t, options, { port, dir })
    try {
      await until('a gateway that answers', () => gateway.isUp(), START_TIMEOUT_MS)
      return gateway
    } catch (error) {
      // Somebody else took the port meanwhile.
      if (!/in use/i.test(gateway.output()) || attempt === START_ATTEMPTS) throw error
    }
  }
}

async function renderExample(options: GatewayOptions, port: number): Promise<string> {
  const dir = join(makeServerDir(), options.name)
  cpSync(join(EXAMPLES, options.name), dir, { recursive: true })
  await options.prepare?.(dir)
  const { lineagePort, upstreamPort, issuer } = options.addresses
  const values: Record<string, string> = {
    '127.0.0.1:8080': `127.0.0.1:${port}`,
    'http://:8080': `http://:${port}`,
    '127.0.0.1:9000': `127.0.0.1:${upstreamPort}`,
    '127.0.0.1:3000': `127.0.0.1:${lineagePort}`,
    'http://localhost:3000': issuer,
    ...options.replace,
  }
  const unused = new Set(Object.keys(options.replace ?? {}))
  for (const file of listFiles(dir)) {
    let text = readFileSync(file, 'utf8')
    for (const [from, to] of Object.entries(values)) {
      if (text.includes(from)) unused.delete(from)
      text = text.replaceAll(from, to)
    }
    writeFileSync(file, text)
  }
  if (unused.size > 0) throw new Error(`not in ${options.name}: ${[...unused].join(', ')}`)
  return dir
}

function listFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
}

function launch(
  t: Test,
  { program, args, env = {} }: GatewayOptions,
  { port, dir }: { port: number; dir: string },
): Gateway & { isUp(): Promise<boolean> } {
  const child = spawn(program, args(dir), {
    cwd: dir,
    // Nothing is read from, or left in, the home of whoever runs the tests.
    env: { PATH: process.env.PATH, HOME: dir, XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks = [...collect(child.stdout), ...collect(child.stderr)]
  const output = () => chunks.map((read) => read()).join('')
  const exited = once(child, 'exit')
  let hasExited = false
  void exited.then(() => {
    hasExited = true
  })
  t.teardown(async () => {
    if (hasExited) return
    child.kill('SIGTERM')
    // A master ends its workers; it would leave them behind if it were killed first.
    await Promise.race([exited, delay(STOP_TIMEOUT_MS, undefined, { ref: false })])
    child.kill('SIGKILL')
  })
  return {
    port,
    dir,
    pid: child.pid ?? 0,
    output,
    async isUp() {
      if (hasExited) throw new Error(`${program} ended: ${output()}`)
      return await answers(port)
    },
  }
}

function collect(stream: Readable): [() => string] {
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return [() => text]
}

/** Whatever it says: that it listens is not enough, because some do so before they are up. */
async function answers(port: number): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  return await fetch(`http://127.0.0.1:${port}/`, { signal }).then(
    () => true,
    () => false,
  )
}

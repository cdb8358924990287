// One redis-server process: on a free port of the loopback address, with a directory of its own.

import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { type SupervisedProcess, startSupervised } from '../../src/embedded/supervised-process.ts'
import { findRedisServer } from './redis-binary.ts'
import type { Scope } from './scope.ts'
import { makeStorageDir } from './temp-dir.ts'

export interface RedisProcess {
  readonly url: string
  readonly port: number
  /** What it has written is in here; the same over all its starts. */
  readonly dataDir: string
  /** Ends the server cleanly; what it wrote stays for the next start. */
  stop(): Promise<void>
  /** Ends the server at once (SIGKILL). */
  kill(): Promise<void>
  /** Starts it again, on the same port with the same data. */
  start(): Promise<void>
  restart(): Promise<void>
  /** The server hangs: connections stay open, nothing is answered (SIGSTOP). */
  pause(): void
  resume(): void
  /** Sends one command and gives its reply. */
  cli(...args: string[]): Promise<unknown>
}

/** `configure` gives the server's arguments for a port; asked again when that port was taken. */
export async function runRedis(
  t: Scope,
  configure: (port: number, dir: string) => Promise<string[]> | string[],
): Promise<RedisProcess> {
  const dir = makeStorageDir()
  mkdirSync(join(dir, 'data'))
  let port = 0
  let args: string[] = []
  let running: SupervisedProcess | undefined
  for (let attempt = 0; attempt < 5 && !running; attempt += 1) {
    port = await findFreePort()
    args = await configure(port, dir)
    running = await launch(dir, port, args)
  }
  if (!running) throw new Error(`redis-server does not start: ${logOf(dir)}`)
  const signal = (name: NodeJS.Signals) => {
    if (running) process.kill(pidOf(dir), name)
  }
  const server: RedisProcess = {
    url: `redis://127.0.0.1:${port}`,
    port,
    dataDir: join(dir, 'data'),
    async stop() {
      // A server that writes its first AOF refuses to end; what it has answered is written all the
      // same.
      const timer = setTimeout(() => signal('SIGKILL'), 2_000)
      await running?.stop()
      clearTimeout(timer)
      running = undefined
    },
    async kill() {
      signal('SIGKILL')
      await server.stop()
    },
    async start() {
      for (let attempt = 0; attempt < 5; attempt += 1) running ??= await launch(dir, port, args)
      if (!running) throw new Error(`redis-server does not start again: ${logOf(dir)}`)
    },
    async restart() {
      await server.stop()
      await server.start()
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    cli: (command = 'PING', ...rest) => sendCommand(port, command, rest),
  }
  t.teardown(() => server.stop())
  return server
}

/** Undefined when the server has ended before it answered, because its port was taken. */
async function launch(
  dir: string,
  port: number,
  args: readonly string[],
): Promise<SupervisedProcess | undefined> {
  const logFd = openSync(join(dir, 'log'), 'w')
  const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', join(dir, 'data')]
  const all = [...args, ...common, '--pidfile', join(dir, 'pid'), '--daemonize', 'no']
  const server = startSupervised(findRedisServer(), all, { cwd: dir, logFd, account: undefined })
  closeSync(logFd)
  let ended = false
  void server.exited.then(() => {
    ended = true
  })
  while (!ended) {
    if (await answersPing(port)) return server
    await delay(20)
  }
  return undefined
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.setTimeout(1_000, () => socket.destroy())
    socket.on('error', () => {})
    socket.on('data', (reply) => {
      resolve(/^(\+PONG|-NOAUTH)/.test(reply.toString()))
      socket.destroy()
    })
    socket.on('close', () => resolve(false))
  })
}

async function sendCommand(port: number, command: string, args: string[]): Promise<unknown> {
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0 })
  client.on('error', () => {})
  try {
    return await client.call(command, ...args)
  } finally {
    client.disconnect()
  }
}

function pidOf(dir: string): number {
  return Number.parseInt(readFileSync(join(dir, 'pid'), 'utf8'), 10)
}

function logOf(dir: string): string {
  return readFileSync(join(dir, 'log'), 'utf8').trim().split('\n').slice(-3).join(' | ')
}

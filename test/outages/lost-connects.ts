// A port at which nobody answers a SYN, as behind a firewall that drops: its listener is a process that
// stands still, and the queue of connections that wait for it is full.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { until } from '../support/until.ts'

export interface LostConnects {
  /** From then on nobody listens there. */
  end(): Promise<void>
}

const LISTEN = `require('node:net').createServer().listen(
  { port: Number(process.argv[1]), host: '127.0.0.1', backlog: 1 }, () => process.stdout.write('.'))`
/** The kernel would have answered by now. */
const UNANSWERED_MS = 300

/** Takes the port, which must be free, and loses every SYN from then on. */
export async function loseConnects(port: number): Promise<LostConnects> {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '-e', LISTEN, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'close')
  if (child.stdout) await once(child.stdout, 'data')
  child.kill('SIGSTOP')
  const waiting: Socket[] = []
  await until('a full queue', async () => {
    const socket = connect(port, '127.0.0.1')
    waiting.push(socket)
    socket.on('error', () => {})
    return !(await isAnswered(socket))
  })
  return {
    async end() {
      child.kill('SIGKILL')
      for (const socket of waiting) socket.destroy()
      await exited
    },
  }
}

function isAnswered(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), UNANSWERED_MS)
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

// A server in a process of its own whose CPU time can be read.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface MeasuredServer {
  readonly child: ChildProcess
  /** User and system time so far, in microseconds. */
  cpuMicros(): Promise<number>
  stop(): Promise<void>
}

const REPORT_CPU = new URL('report-cpu.mjs', import.meta.url).href

export function startMeasuredServer(
  program: URL,
  env: Record<string, string>,
  nodeArguments: readonly string[] = [],
): MeasuredServer {
  const child = spawn(
    process.execPath,
    [...nodeArguments, `--import=${REPORT_CPU}`, fileURLToPath(program)],
    {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    },
  )
  return {
    child,
    async cpuMicros() {
      child.send('cpu')
      for (;;) {
        const [message] = (await once(child, 'message')) as [{ cpu?: NodeJS.CpuUsage }]
        if (message.cpu) return message.cpu.user + message.cpu.system
      }
    },
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

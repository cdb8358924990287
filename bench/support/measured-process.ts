// A server in a process of its own, whose CPU time and memory can be read.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Usage {
  /** User and system time of all threads so far. */
  readonly cpuMicros: number
  readonly rssBytes: number
}

export interface MeasuredProcess {
  readonly child: ChildProcess
  usage(): Promise<Usage>
  /** The next message that has the member `name`. Rejects when the process ends instead. */
  told<T>(name: string): Promise<T>
  stop(): Promise<void>
}

const ANSWER_USAGE = new URL('../programs/answer-usage.mjs', import.meta.url).href

/** The program's output is read and dropped, as a log shipper would take it; errors are shown. */
export function startMeasured(
  script: string,
  env: Readonly<Record<string, string>>,
  nodeArguments: readonly string[] = [],
): MeasuredProcess {
  const args = [...nodeArguments, `--import=${ANSWER_USAGE}`, script]
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  child.stdout?.resume()
  const killed = () => void child.kill('SIGKILL')
  process.on('exit', killed)
  child.on('exit', () => process.off('exit', killed))

  function told<T>(name: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const stopListening = () => {
        child.off('message', onMessage)
        child.off('exit', onExit)
      }
      const onMessage = (message: unknown) => {
        if (typeof message !== 'object' || message === null || !(name in message)) return
        stopListening()
        resolve((message as Record<string, unknown>)[name] as T)
      }
      const onExit = () => {
        stopListening()
        reject(new Error(`${script} has ended`))
      }
      child.on('message', onMessage)
      child.on('exit', onExit)
      if (child.exitCode !== null || child.signalCode !== null) onExit()
    })
  }

  return {
    child,
    told,
    usage() {
      child.send('usage')
      return told('usage')
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}

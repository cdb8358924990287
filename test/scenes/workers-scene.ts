// An instance of several workers, and what its log says of them.

import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { get } from 'node:http'
import type { Test } from 'tap'
import type { LogLine } from '../support/app.ts'
import { exchange, type WireAnswer, write } from '../support/hostile-wire.ts'
import {
  type Environment,
  type LineageProcess,
  type SpawnOptions,
  startLineage,
} from '../support/lineage-process.ts'
import { until } from '../support/until.ts'

export interface Workers {
  readonly service: LineageProcess
  /** The process that is the worker of that number now. */
  pidOf(worker: number): number
  /** The numbers of the workers that answered a request on a connection of its own. */
  answerers(requests: number): Promise<Set<unknown>>
  /** What each of them answers, by its number: asked on connections of their own until all have been. */
  ofEach(start: string, headers?: string[], body?: string): Promise<ReadonlyMap<number, WireAnswer>>
  /** Kills one, and resolves when the next of its number serves. */
  replace(worker: number): Promise<void>
}

export async function startWorkers(
  t: Test,
  env: Environment,
  size = 2,
  options: SpawnOptions = {},
): Promise<Workers> {
  const service = await startLineage(t, { ...env, LINEAGE_WORKERS: String(size) }, options)
  const started = (worker: number): LogLine[] =>
    service.log('worker.started').filter((line) => line.worker === worker)
  const pidOf = (worker: number) => Number(started(worker).at(-1)?.pid)
  await until('the log of all', () => service.log('worker.started').length >= size)
  return {
    service,
    pidOf,
    async answerers(requests) {
      const before = service.log('request.completed').length
      const statuses = new Set<number>()
      for (let i = 0; i < requests; i += 1) statuses.add(await freshRequest(service.port))
      if ([...statuses].join() !== '200') throw new Error(`answered ${[...statuses].join()}`)
      const lines = await until('all lines', () => {
        const all = service.log('request.completed').slice(before)
        return all.length >= requests && all
      })
      return new Set(lines.map(({ worker }) => worker))
    },
    async ofEach(start, headers = [], body) {
      const given = new Map<unknown, WireAnswer>()
      return await until('an answer of each worker', async () => {
        const id = randomUUID()
        const request = write(start, [...headers, `X-Request-Id: ${id}`], body)
        const [answer] = await exchange(service.url, request)
        if (answer) given.set(id, answer)
        const answers = new Map<number, WireAnswer>()
        for (const { reqId, worker } of service.log('request.completed')) {
          const own = given.get(reqId)
          if (own) answers.set(Number(worker), own)
        }
        return answers.size === size && answers
      })
    },
    async replace(worker) {
      const before = started(worker).length
      process.kill(pidOf(worker), 'SIGKILL')
      await until('another worker', () => started(worker).length > before)
    },
  }
}

/** A request on a connection of its own; its status, 0 where the connection ended without one. */
export async function freshRequest(port: number, path = '/livez'): Promise<number> {
  const sent = get({ host: '127.0.0.1', port, path, agent: false })
  return await new Promise((resolve) => {
    sent.on('error', () => resolve(0))
    sent.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
  })
}

/** Whether a process is there and no zombie that nobody has waited for. */
export function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z')
}

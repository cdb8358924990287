// The floors of each scenario: what bench/programs/floor.ts and bare-argon2.ts do under the same load.

import { defaultHashingLanes } from '../../src/users/hashing-lanes.ts'
import { forEachConnection, readMember, repeat } from '../load/chains.ts'
import type { LoadResult } from '../load/closed-loop.ts'
import { formRequest, getRequest } from '../load/http-connection.ts'
import { describeLoad, type HttpServer, overHttp, type Participant } from '../participant.ts'
import { type MeasuredProcess, startMeasured } from '../support/measured-process.ts'
import type { Servers } from '../support/servers.ts'
import { ask, type Participants } from './token-server.ts'

/** Node's own size of its thread pool. */
const THREADS = 4

export interface Floors {
  readonly participants: Participants
  /** A second floor of client_credentials: the signature without the call to Redis. */
  readonly signature: Participants
  readonly processes: readonly MeasuredProcess[]
}

export async function startFloors(
  scripts: (name: 'floor' | 'bare-argon2') => string,
  { redis }: Servers,
): Promise<Floors> {
  const floor = startMeasured(scripts('floor'), { REDIS_URL: redis.url })
  const argon2 = startMeasured(scripts('bare-argon2'), {})
  const [port] = await Promise.all([floor.told<number>('port'), argon2.told<number>('port')])
  const server: HttpServer = { process: floor, port, redis }
  // Of the size of the form that the others are sent.
  const client = { client_id: `c_${'x'.repeat(22)}`, client_secret: 'y'.repeat(48) }
  const post = (path: string, fields: Record<string, string>) => {
    const request = formRequest(path, fields)
    return overHttp(server, () => forEachConnection(() => repeat(request)))
  }
  const get = (request: string) => overHttp(server, () => forEachConnection(() => repeat(request)))
  const grant = { grant_type: 'client_credentials', ...client }
  const token = readMember(await ask(port, formRequest('/token', grant)), 'access_token')
  const refresh = { grant_type: 'refresh_token', refresh_token: 'z'.repeat(120) }
  return {
    participants: {
      refresh: post('/token', { ...refresh, client_id: client.client_id }),
      'client-credentials': post('/token', grant),
      introspect: post('/introspect', { ...client, token }),
      'introspect-once': post('/introspect', { ...client, token }),
      verify: get(getRequest('/verify', token)),
      revoke: post('/introspect', { ...client, token }),
      jwks: get(getRequest('/document')),
      metadata: get(getRequest('/document')),
      login: bareArgon2(argon2),
    },
    signature: { 'client-credentials': post('/sign', grant) },
    processes: [floor, argon2],
  }
}

function bareArgon2(process: MeasuredProcess): Participant {
  const { lanes } = defaultHashingLanes(THREADS)
  return {
    process,
    async measure(seconds) {
      const from = await process.usage()
      process.child.send({ run: { seconds, lanes } })
      const ran = await process.told<Pick<LoadResult, 'latenciesMs' | 'seconds'>>('ran')
      const usage = await process.usage()
      return {
        ...describeLoad({ ...ran, statuses: new Map() }),
        cpuMicros: (usage.cpuMicros - from.cpuMicros) / ran.latenciesMs.length,
        rssMib: usage.rssBytes / 2 ** 20,
      }
    },
  }
}

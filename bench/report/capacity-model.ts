// What a load costs, derived from the results: requests a core, memory, disk. The example of 100
// million users is a set of assumptions and nothing but arithmetic over measured figures.

import type { Results } from '../results.ts'
import type { ScenarioName } from '../scenarios.ts'

const SECONDS_A_DAY = 86_400
export const GIB = 2 ** 30

/** What is assumed of the example. Each is named on the page. */
export const EXAMPLE = {
  users: 100e6,
  /** Of all users, on one day. */
  activeShare: 0.2,
  /** A user of a day uses the service for two hours, with access tokens of ten minutes. */
  refreshesPerActiveUser: 12,
  loginsPerActiveUser: 0.1,
  /** The busiest minute to the average one. */
  peak: 3,
  /** Of a core, of a server's memory. */
  load: 0.6,
  /** How much memory one Redis is given: what it can load and hand to a replica in minutes. */
  shardGib: 25,
  familyDays: 91,
  eventDays: 90,
  eventsPerLogin: 2,
  /** For how long the journal keeps a login. */
  journalSeconds: 900,
} as const

/** Of one process: the pool and the connection that is kept for a change of the schema. */
export const POSTGRES_CONNECTIONS = 10

export interface Room {
  readonly firstSession: number
  readonly furtherSession: number
  readonly user: number
  readonly event: number
  readonly journalEntry: number
  readonly postgresFamily: number
  readonly postgresFamilyUser: number
}

/** In bytes. Throws when the question `room` was not asked in earnest yet. */
export function readRoom({ scale }: Results): Room {
  const facts = scale?.room?.facts
  const read = (name: string) => {
    const value = facts?.[name]
    if (value === undefined)
      throw new Error(`the results lack "${name}": npm run bench -- scale room`)
    return value
  }
  return {
    firstSession: read('redis bytes a user with one session'),
    furtherSession: read('redis bytes each further session'),
    user: read('postgres bytes a user'),
    event: read('postgres bytes an event'),
    journalEntry: read('postgres bytes a journal entry'),
    postgresFamily: read('postgres bytes a family'),
    postgresFamilyUser: read('postgres bytes a user of families'),
  }
}

/** Of Lineage and of the thread of Redis. */
export function cpuMicros(results: Results, name: ScenarioName): { own: number; redis: number } {
  const measures = results.scenarios[name]?.measures.lineage
  return {
    own: measures?.cpuMicros?.median ?? Number.NaN,
    redis: measures?.redisCpuMicros?.median ?? Number.NaN,
  }
}

export function deriveExample(results: Results) {
  const { users, activeShare, peak, load } = EXAMPLE
  const room = readRoom(results)
  const activeUsers = users * activeShare
  const logins = activeUsers * EXAMPLE.loginsPerActiveUser
  const loginsPerSecond = (logins / SECONDS_A_DAY) * peak
  const refreshesPerSecond = ((activeUsers * EXAMPLE.refreshesPerActiveUser) / SECONDS_A_DAY) * peak
  const [refresh, login] = [cpuMicros(results, 'refresh'), cpuMicros(results, 'login')]
  const cores = (refreshesPerSecond * refresh.own + loginsPerSecond * login.own) / 1e6 / load
  const redisCores =
    (refreshesPerSecond * refresh.redis + loginsPerSecond * login.redis) / 1e6 / load
  const families = logins * EXAMPLE.familyDays
  const redisBytes = memoryOf(room, { families, users: Math.min(families, users) })
  const shards = Math.ceil(Math.max(redisBytes / load / GIB / EXAMPLE.shardGib, redisCores))
  const processes = Math.ceil(cores)
  const journalRows = (logins / SECONDS_A_DAY) * peak * EXAMPLE.journalSeconds
  const events = logins * EXAMPLE.eventsPerLogin * EXAMPLE.eventDays
  return {
    activeUsers,
    logins,
    loginsPerSecond,
    refreshesPerSecond,
    families,
    redisBytes,
    shards,
    redisCores,
    processes,
    postgresConnections: processes * POSTGRES_CONNECTIONS,
    redisConnectionsPerShard: processes,
    userBytes: users * room.user,
    events,
    eventBytes: events * room.event,
    eventsPerDay: logins * EXAMPLE.eventsPerLogin,
    journalBytes: journalRows * room.journalEntry,
  }
}

/** Each user's first family takes the copy of his record and his indexes along. */
function memoryOf(room: Room, { families, users }: { families: number; users: number }): number {
  return users * room.firstSession + (families - users) * room.furtherSession
}

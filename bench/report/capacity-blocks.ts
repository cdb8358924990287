// The figures of docs/capacity.md.

import type { Results } from '../results.ts'
import { SCENARIOS, type ScenarioName } from '../scenarios.ts'
import {
  cpuMicros,
  deriveExample,
  EXAMPLE,
  GIB,
  POSTGRES_CONNECTIONS,
  readRoom,
} from './capacity-model.ts'
import { type Blocks, middle, toTable } from './markdown.ts'

const MILLION = 1e6
const OF_A_CORE: readonly ScenarioName[] = [
  'refresh',
  'client-credentials',
  'introspect',
  'verify',
  'revoke',
  'jwks',
  'login',
]

export function capacityBlocks(results: Results): Blocks {
  return {
    cores: coreTable(results),
    rooms: roomTable(results),
    process: processText(results),
    assumptions: assumptionList(),
    example: exampleTable(results),
  }
}

function coreTable(results: Results): string {
  const rows = OF_A_CORE.map((name) => {
    const { own, redis } = cpuMicros(results, name)
    const calls = results.scenarios[name]?.calls.lineage
    return [
      SCENARIOS[name],
      toWhole(MILLION / own),
      // What housekeeping costs a Redis that is not asked is no cost of a request.
      calls?.redis ? toWhole(MILLION / redis) : 'not asked',
    ]
  })
  return toTable(['Requests/s', 'a core of Lineage carries', 'a Redis carries'], rows)
}

function roomTable(results: Results): string {
  const room = readRoom(results)
  const gib = (bytes: number) => `${((bytes * MILLION) / GIB).toFixed(2)} GiB`
  const row = (what: string, where: string, bytes: number) => [
    what,
    where,
    toWhole(bytes),
    gib(bytes),
  ]
  return toTable(
    ['Of', 'where', 'bytes each', 'a million'],
    [
      row('users with one session', 'memory of Redis', room.firstSession),
      row('further sessions', 'memory of Redis', room.furtherSession),
      row('users', 'disk of PostgreSQL', room.user),
      row('events', 'disk of PostgreSQL', room.event),
      row('logins in the journal', 'disk of PostgreSQL', room.journalEntry),
      row('sessions, without Redis', 'disk of PostgreSQL', room.postgresFamily),
      row('users with sessions, without Redis', 'disk of PostgreSQL', room.postgresFamilyUser),
    ],
  )
}

function processText({ start, scenarios }: Results): string {
  const idle = middle(start?.lineage?.idleRssMib)
  const busy = middle(scenarios.refresh?.measures.lineage?.rssMib)
  return [
    `A process holds ${idle} MiB when idle and ${busy} MiB under refreshes; it opens at most`,
    `${POSTGRES_CONNECTIONS} connections to PostgreSQL and one to each master of Redis.`,
  ].join('\n')
}

function assumptionList(): string {
  const { users, activeShare, refreshesPerActiveUser, loginsPerActiveUser, peak, load } = EXAMPLE
  const percent = (share: number) => `${Math.round(share * 100)} %`
  return [
    `- ${millions(users)} users, of whom ${percent(activeShare)} are active on a day`,
    `- each of those refreshes ${refreshesPerActiveUser} times (two hours of access tokens of ten minutes) and`,
    `  logs in ${loginsPerActiveUser} times; every user at least once in ${EXAMPLE.familyDays} days`,
    `- the busiest minute has ${peak} times the average`,
    `- cores and memory are used to ${percent(load)}, so that one that fails is made up for`,
    `- one Redis holds ${EXAMPLE.shardGib} GiB, which it loads, and copies to a replica, in minutes`,
    `- a family is kept for ${EXAMPLE.familyDays} days after its login (90 days and one of slack), alive or not`,
    `- ${EXAMPLE.eventsPerLogin} events a login (it and its end), kept for ${EXAMPLE.eventDays} days`,
  ].join('\n')
}

function exampleTable(results: Results): string {
  const example = deriveExample(results)
  const gib = (bytes: number) => `${toWhole(bytes / GIB)} GiB`
  return toTable(
    ['What', 'how much'],
    [
      ['active users a day', millions(example.activeUsers)],
      ['refreshes a second, at the peak', toWhole(example.refreshesPerSecond)],
      ['logins a second, at the peak', toWhole(example.loginsPerSecond)],
      ['processes of Lineage, a core each', toWhole(example.processes)],
      ['families in Redis', millions(example.families)],
      ['memory of their masters', gib(example.redisBytes)],
      ['masters in the Cluster, each with a replica', toWhole(example.shards)],
      ['cores of Redis that the commands keep busy', example.redisCores.toFixed(1)],
      ['connections to each master', toWhole(example.redisConnectionsPerShard)],
      ['connections to PostgreSQL', toWhole(example.postgresConnections)],
      ['disk of the users', gib(example.userBytes)],
      ['events a day', millions(example.eventsPerDay)],
      ['events kept', millions(example.events)],
      ['disk of the events', gib(example.eventBytes)],
      ['disk of the journal, for logins', `${(example.journalBytes / 2 ** 20).toFixed(0)} MiB`],
    ],
  )
}

const toWhole = (value: number) => Math.round(value).toLocaleString('en')
const millions = (value: number) => `${(value / MILLION).toLocaleString('en')} million`

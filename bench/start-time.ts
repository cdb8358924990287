// From the spawning of a process to its first token, against a migrated database, and the memory
// that it holds a moment later without having done anything else.

import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../src/embedded/free-port.ts'
import { formRequest } from './load/http-connection.ts'
import type { Measure } from './participant.ts'
import { BENCH_ADMIN, spawnLineage } from './subjects/lineage.ts'
import { PEER_CLIENTS, spawnPeer } from './subjects/peers.ts'
import { ask } from './subjects/token-server.ts'
import type { MeasuredProcess } from './support/measured-process.ts'
import type { Servers } from './support/servers.ts'

const RETRY_MS = 2
const IDLE_MS = 1_000

export type MeasureStart = () => Promise<Measure>

export function lineageStart(servers: Servers): MeasureStart {
  return () => measureStart(() => spawnLineage(servers), BENCH_ADMIN)
}

export function peerStart(script: string, servers: Servers): MeasureStart {
  return async () => {
    // Asking it for its port would begin when it is up.
    const port = await findFreePort()
    const spawn = async () => ({ port, process: spawnPeer(script, servers.redis.url, port) })
    return measureStart(spawn, PEER_CLIENTS.service)
  }
}

async function measureStart(
  spawn: () => Promise<{ process: MeasuredProcess; port: number }>,
  client: { client_id: string; client_secret: string },
): Promise<Measure> {
  const grant = formRequest('/token', { grant_type: 'client_credentials', ...client })
  const from = performance.now()
  const { process, port } = await spawn()
  try {
    while (!(await answers(port, grant))) {
      if (process.child.exitCode !== null) throw new Error('the process ended while it started')
      await delay(RETRY_MS)
    }
    const firstTokenMs = performance.now() - from
    await delay(IDLE_MS)
    const { rssBytes, cpuMicros } = await process.usage()
    return { firstTokenMs, idleRssMib: rssBytes / 2 ** 20, startCpuMs: cpuMicros / 1000 }
  } finally {
    await process.stop()
  }
}

function answers(port: number, request: string): Promise<boolean> {
  return ask(port, request).then(
    () => true,
    () => false,
  )
}

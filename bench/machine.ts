// On what a run was made: the machine, the servers and the versions of everything that took part.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import type { Servers } from './support/servers.ts'

export interface Machine {
  readonly measuredAt: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGib: number
  readonly system: string
  readonly node: string
  readonly redis: string
  readonly postgres: string
  readonly packages: Readonly<Record<string, string>>
}

const ROOT = join(import.meta.dirname, '..')
const PACKAGES = [
  'fastify',
  'ioredis',
  'argon2',
  '@prisma/client',
  'pg',
  'pino',
  'oidc-provider',
  '@node-oauth/oauth2-server',
]

export async function describeMachine({ redis, postgresVersion }: Servers): Promise<Machine> {
  const version = /^redis_version:(.*)\r$/m.exec(String(await redis.cli('INFO', 'server')))
  return {
    measuredAt: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    redis: version?.[1] ?? 'unknown',
    postgres: postgresVersion,
    packages: {
      lineage: lineageVersion(),
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(join('node_modules', name))])),
    },
  }
}

function versionOf(folder: string): string {
  const text = readFileSync(join(ROOT, folder, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** With the commit, where this is a checkout. */
function lineageVersion(): string {
  const { stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  return [versionOf('.'), stdout?.trim()].filter(Boolean).join(' at ')
}

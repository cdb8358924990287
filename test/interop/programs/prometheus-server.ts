// Prometheus, of Debian, with the scrape configuration that docs/integrations.md shows, and what it says
// of its targets.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { API } from '../../scenes/integration-scene.ts'
import { fillIn, readBlocks } from '../../support/documented.ts'
import { makeServerDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { requirePrograms } from '../gateways/debian-package.ts'

/** Its heading in docs/integrations.md. */
export const PROGRAM = 'Prometheus'

const PROMETHEUS = requirePrograms({ prometheus: '/usr/bin/prometheus' })

export interface PrometheusOptions {
  readonly tokenUrl: string
  readonly client: { readonly id: string; readonly secret: string }
  /** Host and port of what it scrapes. */
  readonly target: string
}

export interface Target {
  readonly health: 'up' | 'down' | 'unknown'
  readonly lastError: string
}

export interface Prometheus {
  /** The state of its one target. */
  read(): Promise<Target>
  /** Replaces what is in the file of the secret. */
  writeSecret(secret: string): void
}

/** As it says itself, without what Debian adds. */
export function prometheusVersion(): string | undefined {
  const { stdout } = spawnSync(PROMETHEUS, ['--version'], { encoding: 'utf8' })
  return /version ([\d.]+)/.exec(stdout)?.[1]
}

/** Scrapes each second, and ends with the test. */
export async function startPrometheus(t: Test, options: PrometheusOptions): Promise<Prometheus> {
  const dir = makeServerDir()
  const port = await findFreePort()
  const writeSecret = (secret: string) =>
    writeFileSync(join(dir, 'prometheus.secret'), secret, { mode: 0o600 })
  writeSecret(options.client.secret)
  const configuration = `global: { scrape_interval: 1s, scrape_timeout: 1s }\n${settings(options)}`
  writeFileSync(join(dir, 'prometheus.yml'), configuration)
  const data = `--storage.tsdb.path=${join(dir, 'data')}`
  const args = ['--config.file=prometheus.yml', data, `--web.listen-address=127.0.0.1:${port}`]
  const child = spawn(PROMETHEUS, [...args, '--log.level=error'], { cwd: dir, stdio: 'inherit' })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  const readTarget = async () => {
    if (child.exitCode !== null) throw new Error('Prometheus has ended')
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/targets`)
    const { data } = (await answer.json()) as { data: { activeTargets: Target[] } }
    return data.activeTargets[0]
  }
  await until('a target', () => readTarget().catch(unlessEnded))
  const read = async () => (await readTarget()) ?? { health: 'unknown' as const, lastError: '' }
  return { read, writeSecret }
}

/** It does not listen at once. */
function unlessEnded(error: Error): undefined {
  if (error.message.endsWith('ended')) throw error
}

function settings({ tokenUrl, client, target }: PrometheusOptions): string {
  const [block = ''] = readBlocks(PROGRAM, 'yaml')
  return fillIn(block, {
    'client_id: prometheus': `client_id: ${client.id}`,
    'http://localhost:3000/token': tokenUrl,
    'https://notes.example.com': API,
    'notes.example.com:9100': target,
  })
}

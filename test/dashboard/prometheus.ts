// Prometheus, of Debian, with the rules of deploy/prometheus, scraping instances each second.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { ROOT } from '../support/repository-text.ts'
import type { Scope } from '../support/scope.ts'
import { makeServerDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

/** Of four scrapes, as Grafana makes it. */
export const RATE_INTERVAL = '5s'

export interface Series {
  readonly metric: Readonly<Record<string, string>>
  /** Seconds since 1970 and the value as text; `NaN` where there is none. */
  readonly values: readonly (readonly [at: number, value: string])[]
}

export interface Span {
  readonly fromSeconds: number
  readonly toSeconds: number
  readonly stepSeconds: number
}

export interface Prometheus {
  /** What an expression was during the span; throws what Prometheus says against it. */
  ask(expr: string, span: Span): Promise<readonly Series[]>
  /** The alerts that are pending or firing, by name. */
  alerts(): Promise<readonly { readonly name: string; readonly state: string }[]>
  /** Resolves when all rules were evaluated once more, with those that came to an error. */
  brokenRules(): Promise<readonly Rule[]>
}

export interface Rule {
  readonly name: string
  readonly health: 'ok' | 'err' | 'unknown'
  readonly lastError?: string
  readonly lastEvaluation: string
}

/** `targets` are host and port; resolves when each of them was scraped. */
export async function startPrometheus(
  t: Scope,
  program: string,
  targets: readonly string[],
): Promise<Prometheus> {
  const dir = makeServerDir()
  const port = await findFreePort()
  const configuration = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [join(ROOT, 'deploy/prometheus/rules/*.yml')],
    scrape_configs: [{ job_name: 'lineage', static_configs: [{ targets }] }],
  }
  writeFileSync(join(dir, 'prometheus.yml'), stringify(configuration))
  const data = `--storage.tsdb.path=${join(dir, 'data')}`
  const args = ['--config.file=prometheus.yml', data, `--web.listen-address=127.0.0.1:${port}`]
  const child = spawn(program, [...args, '--log.level=error'], { cwd: dir, stdio: 'inherit' })
  const exited = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  const get = async <Data>(path: string, query: Record<string, string> = {}): Promise<Data> => {
    if (child.exitCode !== null) throw new Error('Prometheus has ended')
    const url = `http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(query)}`
    const answer = (await (await fetch(url)).json()) as { data: Data; error?: string }
    if (answer.error) throw new Error(`${answer.error}: ${query.query ?? path}`)
    return answer.data
  }
  await until('scraped instances', () => areScraped().catch(unlessEnded))

  async function areScraped(): Promise<boolean> {
    const { activeTargets } = await get<{ activeTargets: { health: string }[] }>('targets')
    return activeTargets.filter(({ health }) => health === 'up').length === targets.length
  }

  return {
    async ask(expr, { fromSeconds, toSeconds, stepSeconds }) {
      const span = { start: `${fromSeconds}`, end: `${toSeconds}`, step: `${stepSeconds}` }
      const { result } = await get<{ result: Series[] }>('query_range', { query: expr, ...span })
      return result
    },
    async alerts() {
      const { alerts } = await get<{ alerts: { labels: { alertname: string }; state: string }[] }>(
        'alerts',
      )
      return alerts.map(({ labels, state }) => ({ name: labels.alertname, state }))
    },
    async brokenRules() {
      const startedAtMs = Date.now()
      const areEvaluated = (rules: Rule[]) =>
        rules.every(({ lastEvaluation }) => Date.parse(lastEvaluation) > startedAtMs)
      const rules = await until('all rules to be evaluated', async () => {
        const { groups } = await get<{ groups: { rules: Rule[] }[] }>('rules')
        const all = groups.flatMap((group) => group.rules)
        return areEvaluated(all) && all
      })
      return rules.filter(({ health }) => health !== 'ok')
    },
  }
}

/** It does not listen at once. */
function unlessEnded(error: Error): undefined {
  if (error.message.endsWith('ended')) throw error
}

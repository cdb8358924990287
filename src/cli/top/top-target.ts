// Where `lineage top` looks: what --url names, else where the service of this environment listens.

import { InvalidArgumentError } from 'commander'
import { isLoopbackHost } from '../../config/config-values.ts'
import type { Environment } from '../../config/environment.ts'
import { readSettings } from '../../config/read-settings.ts'
import { CommandFailure } from '../command-failure.ts'
import type { MetricsTarget } from './metrics-scrape.ts'

const PATH = '/metrics'

/** The value of --url; without a path it is that of the metrics. Repeats nothing of what is wrong. */
export function parseMetricsUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new InvalidArgumentError('It must be an http or https URL.')
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError('It must have no user and no password.')
  }
  if (url.pathname === '/') url.pathname = PATH
  url.hash = ''
  return url
}

/**
 * By the settings alone that say where a service listens: it needs no secret and no database. Throws
 * CommandFailure where one of them is bad.
 */
export function findMetricsTarget(env: Environment, given: URL | undefined): MetricsTarget {
  if (given) return { url: given, isOurOwn: false }
  const { values, problems } = readSettings(env, () => {
    throw new Error('no file is read here')
  })
  const { PORT: port, LINEAGE_OPS_PORT: opsPort, HOST: host } = values
  const bad = problems.find((problem) => /^(PORT|HOST|LINEAGE_OPS_PORT) /.test(problem))
  if (bad !== undefined || port === undefined || host === undefined) {
    throw new CommandFailure(bad ?? 'PORT and HOST say nothing')
  }
  const scheme = values.LINEAGE_TLS_CERT_FILE === undefined ? 'http' : 'https'
  const address = reachableAddress(host)
  const place = address.includes(':') ? `[${address}]` : address
  const url = new URL(`${scheme}://${place}:${opsPort ?? port}${PATH}`)
  return { url, isOurOwn: isLoopbackHost(address) }
}

/** A service that listens on all addresses is met on the one that never leaves the machine. */
function reachableAddress(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

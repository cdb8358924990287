// REDIS_URL in its three forms: one server, a Cluster, or Sentinels that know the master. Written
// by hand because a URL parser takes no list of hosts.

import type { RedisTarget } from '../redis/redis-target.ts'
import { BadValue, isPercentEncoded } from './config-values.ts'

const FORM = /^(rediss?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/
const NODES_MAX = 64

/** Throws BadValue, which never repeats a host, because a password may stand in its place. */
export function parseRedisUrl(text: string): RedisTarget {
  const match = FORM.exec(text)
  if (!match || !isPercentEncoded(text)) {
    throw new BadValue('must be redis:// or rediss:// with host[:port], more hosts by comma')
  }
  const [, scheme, userinfo, hosts = '', db = '', query = ''] = match
  const { mode, sentinelName } = parseQuery(query)
  const nodes = hosts
    .split(',')
    .map((host) => parseNode(host, mode === 'sentinel' ? 26_379 : 6_379))
  if (nodes.length > NODES_MAX) throw new BadValue(`must name ${NODES_MAX} hosts at most`)
  if (mode === 'single' && nodes.length > 1) {
    throw new BadValue('names more than one host, so it needs ?mode=cluster or ?mode=sentinel')
  }
  if (!/^(|0|[1-9]\d{0,4})$/.test(db)) throw new BadValue('must end in a database number, if any')
  if (mode === 'cluster' && Number(db) !== 0) {
    throw new BadValue('must not choose a database, because a Cluster has only database 0')
  }
  return {
    mode,
    tls: scheme === 'rediss',
    nodes,
    ...parseCredentials(userinfo),
    db: Number(db),
    sentinelName,
  }
}

function parseNode(text: string, defaultPort: number): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([1-9]\d{0,4}))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3] ?? defaultPort)
  if (host !== undefined && port <= 65_535) return { host, port }
  throw new BadValue('must name each host as host, host:port or [IPv6]:port')
}

function parseCredentials(
  userinfo: string | undefined,
): Pick<RedisTarget, 'username' | 'password'> {
  if (userinfo === undefined) return { username: undefined, password: undefined }
  const colon = userinfo.indexOf(':')
  const username = decodeURIComponent(userinfo.slice(0, Math.max(colon, 0)))
  const password = decodeURIComponent(userinfo.slice(colon + 1))
  // Without a colon some clients take it for a user name and others for a password.
  if (colon === -1 || password === '') {
    throw new BadValue('must give credentials as user:password@ or :password@')
  }
  return { username: username === '' ? undefined : username, password }
}

function parseQuery(query: string): Pick<RedisTarget, 'mode' | 'sentinelName'> {
  const parameters = new URLSearchParams(query)
  const names = [...parameters.keys()]
  const mode = parameters.get('mode') ?? 'single'
  const sentinelName = parameters.get('name') ?? undefined
  const isKnown = names.every((name) => name === 'mode' || name === 'name')
  if (!isKnown || new Set(names).size !== names.length) {
    throw new BadValue('takes only the parameters mode and name, each once')
  }
  if (mode === 'sentinel' && sentinelName) return { mode, sentinelName }
  if (sentinelName === undefined && (mode === 'cluster' || !parameters.has('mode'))) {
    return { mode: mode === 'cluster' ? mode : 'single', sentinelName }
  }
  throw new BadValue('must say ?mode=cluster or ?mode=sentinel&name=, the name with Sentinel only')
}

// RabbitMQ as a process of its own, beside whatever else of it runs on the machine, with the settings
// that docs/integrations.md shows.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { fillIn, readBlocks } from '../../support/documented.ts'
import { makeServerDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { requirePrograms } from '../gateways/debian-package.ts'

/** Its heading in docs/integrations.md. */
export const PROGRAM = 'RabbitMQ'

const ATTEMPTS = 3
const START_TIMEOUT_MS = 90_000

/** Ends the node, and the mapper of names that it needs, together with whoever started them. */
const GUARDIAN = `
exec 3<&0
epmd -port "$ERL_EPMD_PORT" </dev/null & names=$!
"$1" </dev/null & node=$!
{ cat <&3; kill -KILL "$node"; } >/dev/null 2>&1 &
wait "$node"
kill -KILL "$names"
wait "$names"`

export interface NodeOptions {
  /** Where Lineage is, by https. */
  readonly lineageUrl: string
  /** PEM, of whoever the node trusts. */
  readonly certificate: string
  /** Lines of rabbitmq.conf in place of the document's by their name; none where undefined. */
  readonly settings?: Readonly<Record<string, string | undefined>>
  /** Files beside the configuration, by name; settings write the directory as `DIR`. */
  readonly files?: Readonly<Record<string, string>>
}

export interface RabbitNode {
  readonly amqpPort: number
  /** Of the management API. */
  readonly port: number
  /** What it has said so far, down to its debug messages. */
  log(): string
}

/** The script itself: Debian's wrapper becomes another user and knows one directory. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** Resolves when its management API answers; ends it with the test. */
export async function startRabbit(t: Test, options: NodeOptions): Promise<RabbitNode> {
  requirePrograms({ 'rabbitmq-server': SERVER })
  for (let attempt = 1; ; attempt += 1) {
    const node = await launch(t, options)
    const state = await until(
      'RabbitMQ that answers or has ended',
      async () => ((await answers(node.port)) ? 'up' : node.hasEnded() && 'ended'),
      START_TIMEOUT_MS,
    )
    if (state === 'up') return node
    // Somebody else took a port meanwhile.
    if (!/eaddrinuse/i.test(node.log()) || attempt === ATTEMPTS) {
      throw new Error(`RabbitMQ ended: ${node.log()}`)
    }
  }
}

async function launch(t: Test, options: NodeOptions) {
  const [amqpPort, port, distributionPort, namesPort] = await Promise.all([
    findFreePort(),
    findFreePort(),
    findFreePort(),
    findFreePort(),
  ])
  const dir = makeServerDir()
  writeConfiguration(dir, options, { amqpPort, port })
  const child = spawn('/bin/sh', ['-c', GUARDIAN, 'sh', SERVER], {
    cwd: dir,
    env: {
      // Nothing else of the environment, where the other one of the machine could be named.
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      HOME: dir,
      // The script becomes the node instead of waiting for it, so that its id is known.
      RUNNING_UNDER_SYSTEMD: 'true',
      ERL_EPMD_PORT: String(namesPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_FLAGS: '-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false',
      RABBITMQ_CONF_ENV_FILE: join(dir, 'rabbitmq-env.conf'),
      RABBITMQ_NODENAME: `lineage-test-${amqpPort}@localhost`,
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
      RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'advanced.config'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
      RABBITMQ_MNESIA_BASE: join(dir, 'mnesia'),
      RABBITMQ_LOG_BASE: join(dir, 'log'),
      RABBITMQ_LOGS: '-',
      RABBITMQ_PID_FILE: join(dir, 'rabbitmq.pid'),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
  }
  let hasEnded = false
  const exited = once(child, 'close').then(() => {
    hasEnded = true
  })
  t.teardown(async () => {
    child.stdin.end()
    await exited
  })
  return { amqpPort, port, log: () => log, hasEnded: () => hasEnded }
}

function writeConfiguration(
  dir: string,
  { lineageUrl, certificate, settings = {}, files = {} }: NodeOptions,
  { amqpPort, port }: { readonly amqpPort: number; readonly port: number },
): void {
  const [documented = ''] = readBlocks(PROGRAM, 'ini')
  const cacertfile = join(dir, 'ca.pem')
  const text = fillIn(documented, {
    'https://auth.example.com': lineageUrl,
    '/etc/ssl/certs/ca-certificates.crt': cacertfile,
  })
  const own = {
    'listeners.tcp.local': `127.0.0.1:${amqpPort}`,
    'management.tcp.ip': '127.0.0.1',
    'management.tcp.port': String(port),
    'log.console.level': 'debug',
    ...settings,
  }
  const kept = text.split('\n').filter((line) => !((line.split(' = ')[0] ?? '') in own))
  const added = Object.entries(own)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} = ${value?.replaceAll('DIR', dir)}`)
  const [command = ''] = readBlocks(PROGRAM, 'sh')
  const plugins = command.match(/rabbitmq_\w+/g) ?? []
  mkdirSync(join(dir, 'log'))
  const all = {
    'rabbitmq-env.conf': '',
    'rabbitmq.conf': [...kept, ...added, ''].join('\n'),
    'advanced.config': '[].',
    enabled_plugins: `[${plugins.join(',')}].`,
    'ca.pem': certificate,
    ...files,
  }
  for (const [name, content] of Object.entries(all)) writeFileSync(join(dir, name), content)
}

/** Whoever asks without a name is told 401. */
async function answers(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/api/whoami`).then(
    ({ status }) => status === 401,
    () => false,
  )
}

// What a process asks of others, counted where it arrives: at Redis by MONITOR, at PostgreSQL by
// reading the wire.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { Redis } from 'ioredis'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

/**
 * What is polled runs by itself, whatever is requested: tables, journal, deliveries, hashes, clocks, and
 * once a minute which algorithms are configured. What opens and closes a transaction (it also names the
 * clock) counts by what stands between.
 */
export const POLL =
  /clock_timestamp|FROM (table_versions|journal|webhooks|dearer)|^UPDATE signing_keys SET wanted_at |\{journal\}|^time$/i

/** Passes everything on to the database and writes down each statement that goes by. */
export async function readStatements(t: Scope, databaseUrl: string) {
  const target = new URL(databaseUrl)
  const statements: string[] = []
  const server = createServer((near) => {
    const far = connect(Number(target.port || 5432), target.hostname)
    const read = statementReader((text) => statements.push(text))
    near.on('data', (bytes) => {
      read(bytes)
      far.write(bytes)
    })
    far.on('data', (bytes) => near.write(bytes))
    near.on('error', () => {}).on('close', () => far.destroy())
    far.on('error', () => {}).on('close', () => near.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return { url: url.href, statements }
}

/** Of PostgreSQL's messages: Query holds a text, Parse a name and a text. The first has no type. */
function statementReader(found: (text: string) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0)
  let typeBytes = 0
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    for (;;) {
      if (rest.length < typeBytes + 4) return
      const size = typeBytes + rest.readUInt32BE(typeBytes)
      if (rest.length < size) return
      const type = typeBytes === 0 ? '' : String.fromCharCode(rest[0] ?? 0)
      const strings = rest.toString('utf8', typeBytes + 4, size).split('\0')
      if (type === 'Q') found(strings[0] ?? '')
      if (type === 'P') found(strings[1] ?? '')
      rest = rest.subarray(size)
      typeBytes = 1
    }
  }
}

/** What clients send; what their scripts call inside of Redis is no round trip. */
export async function monitorCommands(t: Scope, port: number) {
  const client = new Redis(port, '127.0.0.1')
  const monitor = await client.monitor()
  const marker = new Redis(port, '127.0.0.1')
  t.teardown(() => {
    for (const connection of [monitor, marker, client]) connection.disconnect()
  })
  const seen: string[] = []
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua') seen.push(args.join(' '))
  })
  let marks = 0
  /** Redis tells in order: when a mark has come, everything before it has. */
  async function commands(): Promise<string[]> {
    marks += 1
    const mark = `echo mark-${marks}`
    await marker.echo(`mark-${marks}`)
    await until('the mark', () => seen.some((command) => command.toLowerCase() === mark))
    return seen.filter((command) => !/^echo mark-/i.test(command))
  }
  return { commands, seen: async () => (await commands()).length }
}

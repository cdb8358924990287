// A crowd of callers who never finish what they say, a few bytes at a time.

import { connect, type Socket } from 'node:net'
import type { Scope } from '../support/scope.ts'

export interface SlowCrowd {
  /** Resolves when the server has ended the last connection, with what each was told. */
  readonly ended: Promise<readonly (number | undefined)[]>
  /** How many are open. */
  open(): number
}

export interface SlowManner {
  readonly start: string
  /** Sent again and again, which never makes the request whole; nothing unless given. */
  readonly drip?: string
  readonly everyMs?: number
  /** For how long answers are left unread; a socket that is not read does not notice its end. */
  readonly unreadMs?: number
}

/** More at once than the server has taken are lost in the kernel, and neither side is told. */
const OPENED_AT_ONCE = 100

const FIRST_LINE = 64

/** They end with the scope at the latest. */
export function openSlowCrowd(
  t: Scope,
  port: number,
  count: number,
  manner: SlowManner,
): SlowCrowd {
  const sockets = new Set<Socket>()
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  const open = async () => {
    const ends: Promise<number | undefined>[] = []
    while (ends.length < count) {
      const some = Array.from({ length: Math.min(OPENED_AT_ONCE, count - ends.length) }, () =>
        openOne(port, manner, sockets),
      )
      await Promise.all(some.map(({ connected }) => connected))
      ends.push(...some.map(({ ended }) => ended))
    }
    return await Promise.all(ends)
  }
  return { ended: open(), open: () => sockets.size }
}

function openOne(
  port: number,
  { start, drip, everyMs = 100, unreadMs = 0 }: SlowManner,
  sockets: Set<Socket>,
): { connected: Promise<unknown>; ended: Promise<number | undefined> } {
  let said = ''
  let timer: NodeJS.Timeout | undefined
  const socket = connect(port, '127.0.0.1', () => {
    sockets.add(socket)
    socket.write(start)
    if (drip !== undefined) timer = setInterval(() => socket.write(drip), everyMs)
  })
  // A reset is an end like any other.
  socket.on('error', () => {})
  const hear = (bytes: Buffer) => {
    // Of megabytes of answers, the first line is what is looked at.
    if (said.length < FIRST_LINE) said += bytes.toString('latin1', 0, FIRST_LINE)
  }
  if (unreadMs === 0) socket.on('data', hear)
  else setTimeout(() => socket.on('data', hear), unreadMs)
  const ended = new Promise<number | undefined>((resolve) => {
    socket.on('close', () => {
      clearInterval(timer)
      sockets.delete(socket)
      const status = /^HTTP\/1\.1 (\d{3})/.exec(said)?.[1]
      resolve(status === undefined ? undefined : Number(status))
    })
  })
  const connected = new Promise((resolve) => socket.on('connect', resolve).on('close', resolve))
  return { connected, ended }
}

export const SLOW_HEADERS: SlowManner = {
  start: 'GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n',
  drip: 'X-More: y\r\n',
}

export const SLOW_BODY: SlowManner = {
  start:
    'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
    'Content-Length: 9000\r\n\r\ngrant_type=refresh_token&refresh_token=',
  drip: 'a',
}

// One login over IMAP, with the initial response in the command (RFC 4959), as mail programs do it.

import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

export type Mechanism = 'XOAUTH2' | 'OAUTHBEARER' | 'PLAIN'

export interface LoginAnswer {
  /** Of the tagged line: `OK`, `NO` or `BAD`, and what stands in brackets where something does. */
  readonly status: string
  readonly text: string
  /** What the server told before it refused. */
  readonly told: unknown
  /** How many letters are in the inbox of whom it has let in. */
  readonly letters?: number
}

/** Whom a login is for, and what proves it. */
export interface Login {
  readonly user: string
  /** The access token or the password. */
  readonly secret: string
  readonly mechanism?: Mechanism
}

/** Logs in, looks into the inbox, and leaves. */
export async function logInto(
  port: number,
  { user, secret, mechanism = 'XOAUTH2' }: Login,
): Promise<LoginAnswer> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    const lines = createInterface(socket)[Symbol.asyncIterator]()
    const next = async (): Promise<string> => {
      const { value, done } = await lines.next()
      if (done) throw new Error('the server has hung up')
      return value
    }
    await next()
    const response = Buffer.from(initialResponse(mechanism, user, secret)).toString('base64')
    socket.write(`a AUTHENTICATE ${mechanism} ${response}\r\n`)
    let told: unknown
    let line = await next()
    for (; !line.startsWith('a '); line = await next()) {
      if (!line.startsWith('+ ')) continue
      told = JSON.parse(Buffer.from(line.slice(2), 'base64').toString())
      socket.write('\r\n')
    }
    const [, word = '', code, text = ''] = /^a (\w+) (?:\[(\w+)[^\]]*\] )?(.*)$/.exec(line) ?? []
    const status = word === 'OK' || code === undefined ? word : `${word} ${code}`
    if (word !== 'OK') return { status, text, told }
    socket.write('b STATUS INBOX (MESSAGES)\r\n')
    let letters = 0
    for (line = await next(); !line.startsWith('b '); line = await next()) {
      letters = Number(/^\* STATUS INBOX \(MESSAGES (\d+)\)/.exec(line)?.[1] ?? letters)
    }
    return { status, text, told, letters }
  } finally {
    socket.destroy()
  }
}

function initialResponse(mechanism: Mechanism, user: string, secret: string): string {
  switch (mechanism) {
    case 'XOAUTH2':
      return `user=${user}\x01auth=Bearer ${secret}\x01\x01`
    case 'OAUTHBEARER':
      return `n,a=${user},\x01auth=Bearer ${secret}\x01\x01`
    case 'PLAIN':
      return `\0${user}\0${secret}`
  }
}

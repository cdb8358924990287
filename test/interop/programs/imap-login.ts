// One login over IMAP, with the initial response in the command (RFC 4959), as mail programs do it.

import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

export type Mechanism = 'XOAUTH2' | 'OAUTHBEARER' | 'PLAIN'

export interface LoginAnswer {
  /** `OK` or `NO`, and the word in brackets where something stands there. */
  readonly status: string
  /** What the server tells before it refuses. */
  readonly told: unknown
  /** How many letters are in the inbox of whom it has let in. */
  readonly letters?: number
}

export interface Login {
  readonly user: string
  /** The access token or the password. */
  readonly secret: string
  readonly mechanism?: Mechanism
  /** The address that a webmail says its user has. */
  readonly from?: string
  /** Done between the login and the look into the inbox. */
  readonly meanwhile?: () => Promise<unknown>
}

/** Logs in, looks into the inbox, and leaves. */
export async function logInto(
  port: number,
  { user, secret, mechanism = 'XOAUTH2', from, meanwhile }: Login,
): Promise<LoginAnswer> {
  const connection = await openConnection(port)
  try {
    const { send, nextLine, lineOf } = connection
    if (from !== undefined) {
      send(`i ID ("x-originating-ip" "${from}")`)
      await lineOf('i ')
    }
    const response = Buffer.from(initialResponse(mechanism, user, secret)).toString('base64')
    send(`a AUTHENTICATE ${mechanism} ${response}`)
    let told: unknown
    let line = await nextLine()
    for (; !line.startsWith('a '); line = await nextLine()) {
      if (!line.startsWith('+ ')) continue
      told = JSON.parse(Buffer.from(line.slice(2), 'base64').toString())
      send('')
    }
    const [, word = '', code] = /^a (\w+) (?:\[(\w+))?/.exec(line) ?? []
    if (word !== 'OK') return { status: code ? `${word} ${code}` : word, told }
    await meanwhile?.()
    send('b STATUS INBOX (MESSAGES)')
    const status = await lineOf('* STATUS INBOX ')
    return { status: word, told, letters: Number(/MESSAGES (\d+)/.exec(status)?.[1]) }
  } finally {
    connection.close()
  }
}

async function openConnection(port: number) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const reader = createInterface(socket)
  // However it ends, whoever waits for a line is told.
  socket.on('error', () => reader.close()).on('close', () => reader.close())
  const lines = reader[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the server has hung up')
    return value
  }
  const greeting = await nextLine()
  if (!greeting.startsWith('* OK ')) throw new Error(`no greeting: ${greeting}`)
  return {
    nextLine,
    send: (line: string) => void socket.write(`${line}\r\n`),
    async lineOf(beginning: string): Promise<string> {
      let line = await nextLine()
      while (!line.startsWith(beginning)) line = await nextLine()
      return line
    },
    close: () => void socket.destroy(),
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

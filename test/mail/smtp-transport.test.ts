// The way to the mail server: encrypted or not at all, who sends, and what nobody can put into a mail.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { SMTPServerOptions } from 'smtp-server'
import { type Test, test } from 'tap'
import { isMailable } from '../../src/mail/mail-address.ts'
import type { SmtpTarget } from '../../src/mail/smtp-target.ts'
import { type Letter, openSmtpTransport } from '../../src/mail/smtp-transport.ts'
import { LOCALHOST_CERTIFICATE } from '../support/localhost-certificate.ts'
import { type Mailbox, startMailbox } from '../support/mailbox.ts'
import { sourceArguments } from '../support/source-process.ts'

const LETTER: Letter = {
  from: { name: 'Zoë & Co.', address: 'no-reply@example.test' },
  to: 'ada@example.test',
  subject: 'Grüße, 世界 👋',
  text: 'Ein Link: https://a.example/#token=lct_x\n'.repeat(40),
  html: '<p>Привет</p>',
}
const NEVER = new AbortController().signal

async function send(t: Test, target: Partial<SmtpTarget>, letter: Partial<Letter> = {}) {
  const none = { host: '127.0.0.1', port: 9, tls: 'none', credentials: undefined } as const
  const transport = await openSmtpTransport({ ...none, ...target })
  t.teardown(transport.close)
  return await transport.send({ ...LETTER, ...letter }, NEVER)
}

test('what is written is what is read, beyond ASCII too', async (t) => {
  const mailbox = await startMailbox(t)
  t.equal(await send(t, { port: mailbox.port }), undefined)
  const { mail, raw } = await mailbox.arrived(1)
  t.equal(mail.subject, LETTER.subject)
  t.match(mail.from, LETTER.from)
  t.equal(mail.text?.trim(), LETTER.text.trim())
  t.equal(mail.html?.trim(), LETTER.html)
  t.ok(
    raw.split('\r\n').every((line) => Buffer.byteLength(line) <= 998),
    'RFC 5322 §2.1.1',
  )
})

test('an address beyond ASCII is reached', async (t) => {
  const mailbox = await startMailbox(t)
  t.equal(await send(t, { port: mailbox.port }, { to: 'jürgen@bücher.example' }), undefined)
  t.strictSame((await mailbox.arrived(1)).recipients, ['jürgen@bücher.example'])
})

const withTls = (t: Test, options: SMTPServerOptions = {}): Promise<Mailbox> =>
  startMailbox(t, {
    disabledCommands: [],
    authOptional: true,
    onAuth({ username, password }, _session, callback) {
      if (password === 'geheim') callback(null, { user: username ?? '' })
      else callback(Object.assign(new Error('No.'), { responseCode: 535 }))
    },
    ...options,
  })

/** From a process that trusts the certificate, which Node reads when it starts. */
async function sendTrusting(t: Test, ...args: string[]): Promise<string> {
  const NODE_EXTRA_CA_CERTS = join(t.testdir({ ca: LOCALHOST_CERTIFICATE }), 'ca')
  const { NODE_OPTIONS: _, ...env } = process.env
  const program = sourceArguments(join(import.meta.dirname, '../process/fixtures/send-mail.ts'))
  const options = { env: { ...env, NODE_EXTRA_CA_CERTS } }
  const { stdout } = await promisify(execFile)(process.execPath, [...program, ...args], options)
  return stdout.trim()
}

for (const [tls, secure] of [
  ['starttls', false],
  ['implicit', true],
] as const) {
  test(`a server whose certificate is trusted is sent mail and credentials by TLS: ${tls}`, async (t) => {
    const { port, arrived } = await withTls(t, { secure, authOptional: false })
    const scheme = secure ? 'smtps' : 'smtp'
    const url = `${scheme}://relay:geheim@localhost:${port}`
    t.equal(await sendTrusting(t, url, tls), '"sent"')
    t.match(await arrived(1), { isSecure: true, user: 'relay' })
  })
}

test('where STARTTLS is wanted nothing is sent without it, nor to whom nobody vouches for', async (t) => {
  const plain = await startMailbox(t)
  const target = { host: 'localhost', tls: 'starttls' } as const
  const without = await send(t, { ...target, port: plain.port })
  t.match(without, { isFinal: false, error: /^E/ })
  // The server brings a certificate that it has signed itself.
  const untrusted = await withTls(t)
  t.match(await send(t, { ...target, port: untrusted.port }), { isFinal: false, error: /^E/ })
  t.equal(plain.received.length + untrusted.received.length, 0)
})

test('credentials are sent, and wrong ones are no fault of the mail', async (t) => {
  const mailbox = await withTls(t, { allowInsecureAuth: true })
  const sent = (password: string) =>
    send(t, { port: mailbox.port, credentials: { user: 'relay', password } })
  t.match(await sent('wrong'), { error: 'EAUTH', smtpStatus: 535, isFinal: false })
  t.equal(await sent('geheim'), undefined)
  t.equal((await mailbox.arrived(1)).user, 'relay')
})

test('a server that is away or full is asked again, one that refuses the recipient is not', async (t) => {
  const mailbox = await startMailbox(t)
  const { port } = mailbox
  mailbox.refuse(550)
  t.match(await send(t, { port }), { error: 'EENVELOPE', smtpStatus: 550, isFinal: true })
  mailbox.refuse(452)
  t.match(await send(t, { port }), { smtpStatus: 452, isFinal: false })
  await mailbox.stop()
  t.match(await send(t, { port }), { smtpStatus: undefined, isFinal: false, error: /^E/ })
})

test('a stop does not wait for a server that says nothing', async (t) => {
  const mailbox = await startMailbox(t, { onConnect() {} })
  const stop = new AbortController()
  const transport = await openSmtpTransport({
    ...{ host: '127.0.0.1', port: mailbox.port, tls: 'none', credentials: undefined },
  })
  t.teardown(transport.close)
  const sending = transport.send(LETTER, stop.signal)
  stop.abort()
  t.match(await sending, { error: 'stopping', isFinal: false })
})

test('no value makes a header, a recipient or a command of its own', async (t) => {
  const mailbox = await startMailbox(t)
  const { port } = mailbox
  const evil = '\r\nBcc: evil@example.test\r\n\r\nHi'
  t.equal(await send(t, { port }, { subject: `Hello${evil}` }), undefined)
  t.equal(
    await send(t, { port }, { from: { name: `A${evil}`, address: LETTER.from.address } }),
    undefined,
  )
  for (const number of [1, 2]) {
    const { mail, recipients } = await mailbox.arrived(number)
    t.strictSame(recipients, [LETTER.to])
    t.strictSame(
      mail.headers.filter(({ key }) => key === 'bcc'),
      [],
    )
    t.equal(mail.text?.trim(), LETTER.text.trim())
  }
})

test('an address that is more than one mailbox to anybody is not written to', async (t) => {
  for (const address of [
    'ada@example.test',
    'ada+tag@example.test',
    "o'hara@example.test",
    'jürgen@bücher.example',
    'ユーザー@例え.jp',
  ]) {
    t.ok(isMailable(address), address)
  }
  for (const address of [
    'ada@example.test,evil@example.test',
    'ada,evil@example.test',
    'ada;evil@example.test',
    '<ada@example.test>',
    'ada>@example.test',
    '"ada"@example.test',
    'ada@example.test>',
    'ada(evil)@example.test',
    'group:ada@example.test',
    'ada@[127.0.0.1]',
    'ada\\@example.test',
    'ada@example.test\r\nRCPT TO:<evil@example.test>',
    'ada@',
    '@example.test',
    `${'a'.repeat(65)}@example.test`,
  ]) {
    t.notOk(isMailable(address), address)
  }
})

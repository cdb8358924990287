// The way to the mail server, by nodemailer, which is loaded only where mail is sent. Nothing that a
// user or a caller chose is parsed as a list of addresses or as a header.

import type { Transporter } from 'nodemailer'
import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js'
import type { WrittenMail } from './mail-templates.ts'
import type { MailSender, SmtpTarget } from './smtp-target.ts'

/** Connections to the mail server at the same time, and mails on one of them. */
export const CONNECTIONS_MAX = 4
const MAILS_PER_CONNECTION = 100
/** Of each step; an attempt as a whole has ATTEMPT_MS. */
const STEP_MS = 10_000
const ATTEMPT_MS = 45_000

export interface Letter extends WrittenMail {
  readonly from: MailSender
  /** An address that isMailable. */
  readonly to: string
}

/** Why a mail was not taken. It holds no address: what the server said stays out. */
export interface MailRefusal {
  /** `timeout`, `stopping`, or what nodemailer calls it, such as `ECONNECTION` or `EAUTH`. */
  readonly error: string
  /** The reply code of SMTP (RFC 5321 §4.2), where the server gave one. */
  readonly smtpStatus: number | undefined
  /** The server refuses this mail for good (RFC 5321 §4.2.1): no further attempt is of use. */
  readonly isFinal: boolean
}

export interface SmtpTransport {
  /** Undefined once the server has taken the mail. Never rejects. `signal` gives up waiting. */
  send(letter: Letter, signal: AbortSignal): Promise<MailRefusal | undefined>
  /** Undefined where the server can be reached, is to be trusted, and takes the credentials. */
  verify(signal: AbortSignal): Promise<MailRefusal | undefined>
  close(): void
}

/** Connects to nothing before the first mail. */
export async function openSmtpTransport(target: SmtpTarget): Promise<SmtpTransport> {
  const { createTransport } = await import('nodemailer')
  const transporter: Transporter<SMTPPool.SentMessageInfo> = createTransport(toOptions(target))
  async function attempt(work: Promise<unknown>, signal: AbortSignal) {
    const late = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)])
    try {
      await Promise.race([work, untilAborted(late)])
      return undefined
    } catch (error) {
      return late.aborted ? toLateRefusal(signal) : toRefusal(error)
    }
  }

  return {
    send: (letter, signal) => attempt(transporter.sendMail(toMessage(letter)), signal),
    verify: (signal) => attempt(transporter.verify(), signal),
    close: () => transporter.close(),
  }
}

function toOptions({ host, port, tls, credentials }: SmtpTarget) {
  const options = {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(credentials && { auth: { user: credentials.user, pass: credentials.password } }),
    pool: true as const,
    maxConnections: CONNECTIONS_MAX,
    maxMessages: MAILS_PER_CONNECTION,
    // What becomes of a mail whose connection broke is for the outbox to say.
    maxRequeues: 0,
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    dnsTimeout: STEP_MS,
    // No template and no value makes it read a file or fetch a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  }
  return options satisfies SMTPPool.Options
}

function toMessage({ from, to, subject, text, html }: Letter) {
  return {
    // As objects: a string would be read as a list of addresses.
    from: { ...from },
    to: { name: '', address: to },
    envelope: { from: from.address, to: [to] },
    subject,
    text,
    html,
    // RFC 3834 §5: no answering machine answers it.
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function toLateRefusal(signal: AbortSignal): MailRefusal {
  const error = signal.aborted ? 'stopping' : 'timeout'
  return { error, smtpStatus: undefined, isFinal: false }
}

function toRefusal(error: unknown): MailRefusal {
  const { code, command, responseCode } = error as Record<string, unknown>
  const smtpStatus = typeof responseCode === 'number' ? responseCode : undefined
  // What the server says for good of the recipient or the message. Said before that, it is about us,
  // and an operator may mend it.
  const isAboutMail = command === 'RCPT TO' || command === 'DATA'
  const isFinal = isAboutMail && smtpStatus !== undefined && smtpStatus >= 500
  return { error: typeof code === 'string' ? code : 'failed', smtpStatus, isFinal }
}

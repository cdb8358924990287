// What mails say: a text, whose first line is the subject, and a page of HTML for each kind. Those that
// are shipped lie beside this file; an operator's folder replaces any of them. All of it is read and
// checked once, at the start.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StartError } from '../runtime/start-error.ts'
import type { ConfirmationPurpose } from '../users/confirmation-token.ts'

const SHIPPED = fileURLToPath(new URL('templates/', import.meta.url))

const FILE_NAMES = {
  password_reset: 'password-reset',
  email_verification: 'email-verification',
} as const satisfies Record<ConfirmationPurpose, string>

/** What a template may name in double braces. */
export interface MailValues {
  readonly link: string
  /** The host of the app's page. */
  readonly app: string
  readonly username: string
}

const VALUE_NAMES = ['link', 'app', 'username'] as const satisfies readonly (keyof MailValues)[]

export interface WrittenMail {
  readonly subject: string
  readonly text: string
  readonly html: string
}

export type MailTemplates = Readonly<Record<ConfirmationPurpose, WrittenMail>>

const FILE_BYTES_MAX = 256 * 1024

/** Throws ONE StartError with everything that is wrong with the templates in `folder`. */
export function loadMailTemplates(folder: string | undefined): MailTemplates {
  const problems: string[] = folder === undefined ? [] : findStrangers(folder)
  const load = (kind: ConfirmationPurpose): WrittenMail => {
    const text = loadFile(folder, `${FILE_NAMES[kind]}.txt`, problems)
    const html = loadFile(folder, `${FILE_NAMES[kind]}.html`, problems)
    return { ...splitSubject(text, `${FILE_NAMES[kind]}.txt`, problems), html }
  }
  const templates = {
    password_reset: load('password_reset'),
    email_verification: load('email_verification'),
  }
  if (problems.length === 0) return templates
  throw new StartError(`The templates of mails are not valid:\n  ${problems.join('\n  ')}`)
}

/** The mail with its values; in HTML they are escaped, for element content and quoted attributes. */
export function writeMail(template: WrittenMail, values: MailValues): WrittenMail {
  return {
    subject: fillIn(template.subject, values, (value) => value),
    text: fillIn(template.text, values, (value) => value),
    html: fillIn(template.html, values, escapeHtml),
  }
}

/**
 * The link that a mail carries. The token stands in the fragment, which a browser sends to nobody: in a
 * query it would be in the log of every proxy before the page, and in the `Referer` of whatever the
 * page loads, of which a fragment is no part (RFC 9110 §10.1.3). The page itself has none.
 */
export function linkTo(page: string, token: string): string {
  return `${page}#token=${token}`
}

/** Also what is there and never read: a file with a wrong name would leave the shipped text in force. */
function findStrangers(folder: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return ['LINEAGE_MAIL_TEMPLATES must name a folder that can be read.']
  }
  const known = Object.values(FILE_NAMES).flatMap((name) => [`${name}.txt`, `${name}.html`])
  const strangers = names.filter((name) => /\.(txt|html?)$/i.test(name) && !known.includes(name))
  const isAnyKnown = names.some((name) => known.includes(name))
  return [
    ...strangers.map((name) => `${name} is no template; there are ${known.join(', ')}.`),
    ...(isAnyKnown ? [] : [`LINEAGE_MAIL_TEMPLATES has none of ${known.join(', ')}.`]),
  ]
}

function loadFile(folder: string | undefined, name: string, problems: string[]): string {
  const own = join(folder ?? SHIPPED, name)
  let content: string
  try {
    const isThere = statSync(own, { throwIfNoEntry: false }) !== undefined
    const bytes = readFileSync(isThere ? own : join(SHIPPED, name))
    if (bytes.length > FILE_BYTES_MAX) throw new RangeError('too large')
    content = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    problems.push(`${name} must be a file of UTF-8 of ${FILE_BYTES_MAX / 1024} KiB at most.`)
    return ''
  }
  const names = [...content.matchAll(/\{\{(.{0,32}?)\}\}/g)].map(([, found = '']) => found)
  if (names.some((found) => !isValueName(found)) || /\{\{|\}\}/.test(withoutNames(content))) {
    problems.push(`${name} may name only ${VALUE_NAMES.map((one) => `{{${one}}}`).join(', ')}.`)
  }
  if (!names.includes('link')) problems.push(`${name} lacks {{link}}.`)
  return content
}

/** `Subject: …`, an empty line, the text. */
function splitSubject(content: string, name: string, problems: string[]) {
  const [first = '', second, ...lines] = content.split(/\r?\n/)
  const subject = first.replace(/^Subject:/i, '').trim()
  if (!/^Subject:/i.test(first) || subject === '' || second !== '') {
    problems.push(`${name} must begin with a line "Subject: …" and an empty line.`)
  }
  if (subject.includes('{{link}}')) problems.push(`${name} must not have {{link}} in its subject.`)
  return { subject, text: lines.join('\n') }
}

function isValueName(name: string): name is keyof MailValues {
  return VALUE_NAMES.some((known) => known === name)
}

function withoutNames(content: string): string {
  return content.replace(/\{\{(.{0,32}?)\}\}/g, '')
}

/** In one pass, so that what was put in is never taken for a name. */
function fillIn(text: string, values: MailValues, escapeValue: (value: string) => string): string {
  return text.replace(/\{\{(\w+)\}\}/g, (all, name: string) =>
    isValueName(name) ? escapeValue(values[name]) : all,
  )
}

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

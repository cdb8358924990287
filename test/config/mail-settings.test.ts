// What the environment says of mail: the server, the sender and the pages, and that half of it is none.

import { test } from 'tap'
import { BadValue, type Parser } from '../../src/config/config-values.ts'
import { parseMailFrom, parsePage } from '../../src/config/mail-values.ts'
import { loadConfig } from '../../src/config/service-config.ts'
import { parseSmtpUrl } from '../../src/config/smtp-url.ts'

const MAIL = {
  LINEAGE_SMTP_URL: 'smtp://relay:geheim@mail.example.com',
  LINEAGE_MAIL_FROM: 'Example <no-reply@example.com>',
  LINEAGE_PASSWORD_RESET_URL: 'https://app.example.com/reset',
  LINEAGE_EMAIL_VERIFICATION_URL: 'https://app.example.com/verify?lang=de',
}

function refuses(parse: Parser<unknown>, text: string): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof BadValue) return error.message
    throw error
  }
  return ''
}

test('the way to a mail server is encrypted unless it leads nowhere else, or one says so', async (t) => {
  const none = { credentials: undefined }
  const credentials = { user: 'relay', password: 'ge:h@im' }
  const forms: Record<string, object> = {
    'smtp://mail.example.com': { host: 'mail.example.com', port: 587, tls: 'starttls', ...none },
    'smtps://mail.example.com/': { host: 'mail.example.com', port: 465, tls: 'implicit', ...none },
    'smtp://relay:ge%3Ah%40im@a:2525': { host: 'a', port: 2525, tls: 'starttls', credentials },
    'smtp://relay.internal:25?tls=off': { host: 'relay.internal', port: 25, tls: 'none', ...none },
    'smtp://127.0.0.1:1025': { host: '127.0.0.1', port: 1025, tls: 'none', ...none },
    'smtp://[::1]': { host: '::1', port: 587, tls: 'none', ...none },
    'smtps://localhost': { host: 'localhost', port: 465, tls: 'implicit', ...none },
    'smtp://relay:ge%3Ah%40im@localhost?tls=off': {
      ...{ host: 'localhost', port: 587, tls: 'none', credentials },
    },
  }
  for (const [url, expected] of Object.entries(forms)) {
    t.strictSame(parseSmtpUrl(url), expected, url)
  }
})

test('what is no such URL is refused, and never repeated', async (t) => {
  for (const url of [
    'geheim',
    'http://geheim',
    'smtp://',
    'smtp://geheim@mail',
    'smtp://geheim:@mail',
    'smtp://:geheim@mail',
    'smtp://u:%ff@mail',
    'smtp://mail:0',
    'smtp://mail:65536',
    'smtp://mail/path',
    'smtp://mail#geheim',
    'smtp://mail?tls=none',
    'smtp://mail?tls=off&tls=off',
    'smtps://mail?tls=off',
    'smtp://u:geheim@mail?tls=off',
    'smtp://a,b',
    'smtp://a\nb',
  ]) {
    const problem = refuses(parseSmtpUrl, url)
    t.not(problem, '', url)
    t.notMatch(problem, 'geheim')
  }
})

test('a sender is an address, with a name or without', async (t) => {
  const sender = (name: string, address: string) => ({ name, address })
  t.strictSame(parseMailFrom('a@b.example'), sender('', 'a@b.example'))
  t.strictSame(parseMailFrom('<a@b.example>'), sender('', 'a@b.example'))
  t.strictSame(parseMailFrom('Zoë & Co. <a@b.example>'), sender('Zoë & Co.', 'a@b.example'))
  for (const text of [
    'nobody',
    'a@b c@d',
    'a@b, c@d',
    'A <a@b> <c@d>',
    'A\r\nBcc: x@y <a@b>',
    '"A" <a@b>',
    'a@b\n',
  ]) {
    t.not(refuses(parseMailFrom, text), '', text)
  }
})

test('a page is https and has room for the token', async (t) => {
  for (const page of [
    'https://app.example.com/reset',
    'https://app.example.com',
    'https://app.example.com/?lang=de&x=%20',
    'http://localhost:5173/reset',
  ]) {
    t.equal(parsePage(page), page)
  }
  for (const page of [
    'http://app.example.com/',
    'https://u:p@app.example.com/',
    'https://app.example.com/#reset',
    'https://app.example.com/a b',
    'javascript:alert(1)',
    '/reset',
    `https://app.example.com/${'x'.repeat(1_100)}`,
  ]) {
    t.not(refuses(parsePage, page), '', page)
  }
})

test('all of mail or none of it: what is missing is named', async (t) => {
  t.match(loadConfig(MAIL), {
    mail: {
      smtp: { host: 'mail.example.com', credentials: { user: 'relay', password: 'geheim' } },
      from: { name: 'Example', address: 'no-reply@example.com' },
      pages: {
        password_reset: MAIL.LINEAGE_PASSWORD_RESET_URL,
        email_verification: MAIL.LINEAGE_EMAIL_VERIFICATION_URL,
      },
      templates: undefined,
    },
  })
  for (const name of Object.keys(MAIL)) {
    const missing = new RegExp(`^The configuration is not valid:\\n {2}${name} is missing\\.$`)
    t.throws(() => loadConfig({ ...MAIL, [name]: '' }), { message: missing })
  }
  t.throws(() => loadConfig({ LINEAGE_MAIL_TEMPLATES: '/templates' }), {
    message: /LINEAGE_SMTP_URL is missing/,
  })
})

// Templates: those that are shipped, those of an operator, and what is no template.

import { join } from 'node:path'
import { test } from 'tap'
import { linkTo, loadMailTemplates, writeMail } from '../../src/mail/mail-templates.ts'
import { StartError } from '../../src/runtime/start-error.ts'

const TEXT = 'Subject: Ihr Passwort für {{app}}\n\nHallo {{username}}:\n{{link}}\n'
const VALUES = { link: 'https://a.example/?x=1&y=2#token=lct_x', app: 'a.example', username: 'ada' }

function problemOf(folder: string): string {
  try {
    loadMailTemplates(folder)
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
  return ''
}

test('an operator replaces any of the files, and the others stay', async (t) => {
  const shipped = loadMailTemplates(undefined)
  const own = loadMailTemplates(t.testdir({ 'password-reset.txt': TEXT, 'notes.md': 'not read' }))
  t.strictSame(own.email_verification, shipped.email_verification)
  t.equal(own.password_reset.html, shipped.password_reset.html)
  t.strictSame(writeMail(own.password_reset, VALUES), {
    subject: 'Ihr Passwort für a.example',
    text: `Hallo ada:\n${VALUES.link}\n`,
    html: writeMail(shipped.password_reset, VALUES).html,
  })
})

test('values are escaped in HTML and are no templates themselves', async (t) => {
  const { password_reset: template } = loadMailTemplates(
    t.testdir({ 'password-reset.html': '<a title="{{username}}" href="{{link}}">{{app}}</a>' }),
  )
  const username = `"><script>{{link}}'&$&`
  const { html } = writeMail(template, { ...VALUES, username })
  t.equal(
    html,
    '<a title="&#34;&#62;&#60;script&#62;{{link}}&#39;&#38;$&#38;" ' +
      'href="https://a.example/?x=1&#38;y=2#token=lct_x">a.example</a>',
  )
})

test('the token stands behind the page, in its fragment', async (t) => {
  t.equal(
    linkTo('https://a.example/reset?lang=de', 'lct_x'),
    'https://a.example/reset?lang=de#token=lct_x',
  )
})

const BAD: Readonly<Record<string, readonly [content: string | Buffer, problem: string]>> = {
  'an unknown name': [TEXT.replace('username', 'user'), 'may name only {{link}}'],
  'a name with blanks': [TEXT.replace('{{app}}', '{{ app }}'), 'may name only {{link}}'],
  'a brace too few': [TEXT.replace('{{app}}', '{{app}'), 'may name only {{link}}'],
  'no link': [TEXT.replace('{{link}}', ''), 'lacks {{link}}'],
  'no subject': [TEXT.slice(9), 'must begin with a line "Subject: …" and an empty line'],
  'an empty subject': [TEXT.replace(/: .*/, ':'), 'must begin with a line "Subject: …"'],
  'no empty line': [TEXT.replace('\n\n', '\n'), 'must begin with a line "Subject: …"'],
  'a link in the subject': [TEXT.replace('{{app}}', '{{link}}'), 'must not have {{link}} in its'],
  'another encoding': [Buffer.from(TEXT, 'latin1'), 'must be a file of UTF-8'],
  'too much': [TEXT + 'x'.repeat(300_000), 'must be a file of UTF-8 of 256 KiB at most'],
}

for (const [what, [content, problem]] of Object.entries(BAD)) {
  test(`a template with ${what} stops the start`, async (t) => {
    const message = problemOf(t.testdir({ 'password-reset.txt': content }))
    t.match(message, `password-reset.txt ${problem}`)
  })
}

test('a folder that is not there, is empty or has a misspelt name stops the start', async (t) => {
  const folder = t.testdir({ empty: {}, misspelt: { 'reset-password.txt': TEXT } })
  t.match(problemOf(join(folder, 'nowhere')), 'must name a folder that can be read')
  t.match(problemOf(join(folder, 'empty')), 'has none of password-reset.txt')
  t.match(problemOf(join(folder, 'misspelt')), 'reset-password.txt is no template')
})

// What a webhook's URL may be, before anything is looked up.

import { test } from 'tap'
import { findUrlProblem } from '../../src/webhooks/webhook-url.ts'

test('an https URL of any host but a private address is fine', async (t) => {
  for (const url of [
    'https://hooks.example.com/a?b=c',
    'https://1.1.1.1:8443/',
    'https://localhost',
  ]) {
    t.equal(findUrlProblem(url, false), undefined, url)
  }
})

test('private addresses are refused however they are written', async (t) => {
  const hosts = ['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '127.1', '10.0.0.1', '[::1]']
  for (const host of [...hosts, '[::ffff:127.0.0.1]', '[fd00::1]', '169.254.169.254']) {
    t.match(findUrlProblem(`https://${host}/`, false), /private address/, host)
    t.equal(findUrlProblem(`https://${host}/`, true), undefined, host)
  }
})

test('plain http needs leave, other schemes, credentials and fragments are never taken', async (t) => {
  t.match(findUrlProblem('http://hooks.example.com', false), /https/)
  t.equal(findUrlProblem('http://hooks.example.com', true), undefined)
  const never = [
    ...['ftp://example.com', 'file:///etc/passwd', 'hooks.example.com', '/hook', 'https://', ''],
    ...['https://user:pass@example.com', 'https://user@example.com', 'https://example.com/#a'],
    `https://example.com/${'a'.repeat(2048)}`,
  ]
  for (const url of never) {
    for (const allow of [true, false]) {
      const problem = findUrlProblem(url, allow)
      t.type(problem, 'string', url.slice(0, 40))
      if (url.length > 8) t.notOk(problem?.includes(url), 'the URL is not said back')
    }
  }
})

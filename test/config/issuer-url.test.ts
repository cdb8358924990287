// LINEAGE_ISSUER: kept as given, or refused.

import { test } from 'tap'
import { BadValue } from '../../src/config/config-values.ts'
import { parseIssuer } from '../../src/config/issuer-url.ts'

test('keeps a good issuer character by character (RFC 8414 §3.3) (C76)', async (t) => {
  for (const issuer of [
    'https://auth.example.com',
    'https://auth.example.com:8443',
    'https://example.com/tenants/a-b_c.d~e',
    'https://192.0.2.1',
    'https://[2001:db8::1]:8443/a',
    'http://localhost:3000',
    'http://127.0.0.1:3000/x',
    'http://127.8.9.10',
    'http://[::1]:3000',
  ]) {
    t.equal(parseIssuer(issuer), issuer)
  }
})

test('refuses every other issuer (RFC 8414 §2) (C76)', async (t) => {
  for (const issuer of [
    'auth.example.com',
    '//auth.example.com',
    'ftp://auth.example.com',
    'http://auth.example.com',
    'http://localhost.example.com',
    'http://0.0.0.0:3000',
    'http://[::]:3000',
    'https://',
    'https://auth.example.com/',
    'https://auth.example.com/a/',
    'https://auth.example.com?',
    'https://auth.example.com/a?b=c',
    'https://auth.example.com#',
    'https://auth.example.com/a#b',
    'https://user@auth.example.com',
    'https://user:pass@auth.example.com',
    'https://@auth.example.com',
    'HTTPS://auth.example.com',
    'https://AUTH.example.com',
    'https://auth.example.com:443',
    'http://127.1:3000',
    'https://auth.example.com/a/../b',
    'https://auth.example.com/a//b',
    'https://auth.example.com/:param',
    'https://auth.example.com/*',
    'https://auth.example.com/a%2fb',
    'https://münchen.example',
    ' https://auth.example.com',
    'https://auth.example.com ',
    'https:\\\\auth.example.com',
    'https://auth.example.com\\a',
  ]) {
    t.throws(() => parseIssuer(issuer), BadValue, issuer)
  }
})

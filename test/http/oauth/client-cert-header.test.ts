// The certificate that a proxy passes on (RFC 9440): taken in one form from proxies that are trusted, and
// from nobody else (docs/semantics.md §24).

import { type Test, test } from 'tap'
import type { ServiceConfig } from '../../../src/config/service-config.ts'
import { CERTIFICATE_CLIENT, PAYMENTS } from '../../scenes/certificate-attacks.ts'
import { startApp } from '../../support/app.ts'
import { makeAuthority, makeSelfSigned } from '../../support/certificates.ts'
import { exchange, write } from '../../support/hostile-wire.ts'

const CERTIFICATE = makeAuthority('Client CA').issue({ subject: PAYMENTS })
const FORM = 'grant_type=client_credentials&client_id=payments'
const escapedPem = encodeURIComponent(CERTIFICATE.cert)

async function openScene(t: Test, config: Partial<ServiceConfig>) {
  const app = await startApp(t, { config: { throttle: 'off', ...config } })
  await app.makeClient(CERTIFICATE_CLIENT)
  const type = 'content-type: application/x-www-form-urlencoded'
  /** `granted`, or the reason of the refusal. */
  async function askWith(...headers: readonly string[]): Promise<unknown> {
    const request = write('POST /token', [type, ...headers], FORM)
    const [answer] = await exchange(app.url, request)
    if (answer?.status === 200) return 'granted'
    t.equal(answer?.status, 401)
    t.match(JSON.parse(answer?.body ?? ''), { error: 'invalid_client' })
    return app.log.findLast(({ event }) => event === 'client.authentication_failed')?.reason
  }
  return askWith
}

const TRUSTED = { trustProxy: ['127.0.0.0/8'] }

test('a trusted proxy passes the certificate on', async (t) => {
  const askWith = await openScene(t, TRUSTED)
  t.equal(await askWith(`Client-Cert: ${CERTIFICATE.header}`), 'granted')
  t.equal(await askWith(`client-cert:${CERTIFICATE.header}  `), 'granted')
  t.equal(await askWith(), 'client_certificate_missing')
  const other = makeAuthority().issue({ subject: [['CN', 'other']] })
  t.equal(await askWith(`Client-Cert: ${other.header}`), 'client_certificate_name_wrong')
  const old = { notBefore: new Date(Date.now() - 9e8), notAfter: new Date(Date.now() - 5e7) }
  const expired = makeAuthority().issue({ subject: PAYMENTS, ...old })
  t.equal(await askWith(`Client-Cert: ${expired.header}`), 'client_certificate_out_of_date')
})

test('what is not exactly one certificate in that form is none', async (t) => {
  const askWith = await openScene(t, TRUSTED)
  const { header } = CERTIFICATE
  const base64 = header.slice(1, -1)
  const raw = CERTIFICATE.x509.raw
  const wrap = (bytes: Buffer) => `:${bytes.toString('base64')}:`
  const values: readonly string[] = [
    '',
    '::',
    base64,
    `:${base64}`,
    `${base64}:`,
    `"${base64}"`,
    `:${base64.slice(0, 40)} ${base64.slice(40)}:`,
    `:${raw.toString('base64url')}-_:`,
    `:${raw.toString('hex')}:`,
    `${header};a=1`,
    `${header}, ${header}`,
    `${header},`,
    `:${base64}=:`,
    `:${base64}AAAA:`,
    wrap(raw.subarray(0, -1)),
    wrap(Buffer.concat([raw, Buffer.from([0])])),
    wrap(Buffer.concat([raw, raw])),
    wrap(Buffer.from('nothing')),
    wrap(Buffer.alloc(9_300)),
    escapedPem,
  ]
  for (const value of values) {
    const reason = await askWith(`Client-Cert: ${value}`)
    t.equal(reason, 'client_certificate_unreadable', value.slice(0, 30))
  }
  const two = [`Client-Cert: ${header}`, `Client-Cert: ${header}`]
  t.equal(await askWith(...two), 'client_certificate_unreadable', 'twice')
  t.equal(await askWith(`Client-Cert: ${header}`), 'granted')
})

test('URL-encoded PEM in a header of another name, where that is configured', async (t) => {
  const certificateHeader = { name: 'ssl-client-cert', form: 'pem' } as const
  const askWith = await openScene(t, { ...TRUSTED, certificateHeader })
  t.equal(await askWith(`SSL-Client-Cert: ${escapedPem}`), 'granted')
  const spaced = escapedPem.replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=')
  t.equal(await askWith(`SSL-Client-Cert: ${spaced}`), 'granted', 'with less of it escaped')
  const bad = 'client_certificate_unreadable'
  for (const value of [
    CERTIFICATE.header,
    `${escapedPem}${escapedPem}`,
    escapedPem.replaceAll('%0A', ''),
    `%ZZ${escapedPem}`,
    escapedPem.replace('BEGIN', 'BEGIN%20X'),
    encodeURIComponent(makeSelfSigned({}).key),
  ]) {
    t.equal(await askWith(`SSL-Client-Cert: ${value}`), bad, value.slice(0, 40))
  }
  t.equal(await askWith(`Client-Cert: ${CERTIFICATE.header}`), 'client_certificate_missing')
})

test('where it is off nobody is believed, nor is a proxy taken for its caller', async (t) => {
  const askWith = await openScene(t, { ...TRUSTED, certificateHeader: 'off' })
  const missing = 'client_certificate_missing'
  t.equal(await askWith(`Client-Cert: ${CERTIFICATE.header}`), missing)
  t.equal(await askWith(`SSL-Client-Cert: ${escapedPem}`), missing)
  t.equal(await askWith('Client-Cert: nonsense', 'off: nonsense'), missing)
})

test('from anybody else the header is ignored', async (t) => {
  for (const trustProxy of [[], ['10.0.0.0/8']]) {
    const askWith = await openScene(t, { trustProxy })
    const header = `Client-Cert: ${CERTIFICATE.header}`
    t.equal(await askWith(header), 'client_certificate_missing')
    t.equal(await askWith(header, 'X-Forwarded-For: 10.0.0.1'), 'client_certificate_missing')
    t.equal(await askWith(header, header), 'client_certificate_missing')
  }
})

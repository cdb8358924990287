// self_signed_tls_client_auth over real TLS: the key of the certificate is one of the client's
// (docs/semantics.md §24).

import { createPublicKey } from 'node:crypto'
import { test } from 'tap'
import { callerWith, makeTlsFolder, startTlsApp } from '../../scenes/tls-scene.ts'
import { type Certified, makeAuthority, makeSelfSigned } from '../../support/certificates.ts'

const jwkOf = ({ privateKey }: Certified) =>
  createPublicKey(privateKey).export({ format: 'jwk' }) as { kty: string }

test('whoever holds a key of the client is the client, and nobody else', async (t) => {
  const ca = makeAuthority()
  const app = await startTlsApp(t, makeTlsFolder(t, [ca]), { config: { throttle: 'off' } })
  const subject = [['CN', 'worker']] as const
  const mine = makeSelfSigned({ subject })
  await app.makeClient({
    id: 'worker',
    type: 'confidential',
    grantTypes: ['client_credentials'],
    authMethods: ['self_signed_tls_client_auth'],
    jwks: { keys: [jwkOf(makeSelfSigned({})), jwkOf(mine)] },
  })
  const ask = async (certificate?: Certified) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'worker' })
    const answer = await callerWith(certificate)(`${app.url}/token`, { method: 'POST', body })
    if (answer.status === 200) return 'granted'
    t.match(await answer.json(), { error: 'invalid_client' })
    return app.log.findLast(({ event }) => event === 'client.authentication_failed')?.reason
  }
  const key = mine.privateKey
  t.equal(await ask(mine), 'granted')
  t.equal(await ask(makeSelfSigned({ subject: [['CN', 'renewed']], key })), 'granted')
  t.equal(await ask(ca.issue({ subject, key })), 'granted', 'whoever has signed it')
  t.equal(await ask(makeSelfSigned({ subject })), 'client_certificate_key_unknown')
  t.equal(
    await ask(ca.issue({ subject })),
    'client_certificate_key_unknown',
    'a CA is nothing here',
  )
  const notAfter = new Date(Date.now() - 5e7)
  const expired = makeSelfSigned({ subject, key, notBefore: new Date(0), notAfter })
  t.equal(await ask(expired), 'client_certificate_out_of_date')
  t.equal(await ask(), 'client_certificate_missing')
})

test('rules of clients with certificates are told', async (t) => {
  const app = await startTlsApp(t, makeTlsFolder(t))
  const common = { name: 'x', type: 'confidential', grantTypes: ['client_credentials'] }
  for (const [input, pointer] of [
    [{ authMethods: ['tls_client_auth'] }, '/tlsClientAuth'],
    [{ authMethods: ['self_signed_tls_client_auth'] }, '/authMethods'],
    [{ authMethods: ['self_signed_tls_client_auth', 'tls_client_auth'] }, '/authMethods'],
    [{ tlsClientAuth: { sanDns: '*.example' } }, '/tlsClientAuth/sanDns'],
    [{ tlsClientAuth: { subjectDn: 'CN = x' } }, '/tlsClientAuth/subjectDn'],
    [{ tlsClientAuth: { sanIp: '10.0.0.0/8' } }, '/tlsClientAuth/sanIp'],
    [{ tlsClientAuth: { sanEmail: 'nobody' } }, '/tlsClientAuth/sanEmail'],
    [{ tlsClientAuth: { sanUri: '/path' } }, '/tlsClientAuth/sanUri'],
    [{ tlsClientAuth: { sanIp: '::1', sanDns: 'a.example' } }, '/tlsClientAuth'],
  ] as const) {
    const answer = await app.admin('POST', '/admin/clients', { ...common, ...input })
    t.equal(answer.status, 422, pointer)
    const { errors } = (await answer.json()) as { errors: { pointer: string }[] }
    t.ok(
      errors.some((error) => error.pointer.startsWith(pointer)),
      JSON.stringify(errors),
    )
  }
})

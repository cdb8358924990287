// The files of TLS and the process: what stops a start, both ports, and workers, whose connections
// come from another process.

import { writeFileSync } from 'node:fs'
import { type Test, test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import {
  callerWith,
  makeServerCertificate,
  makeTlsFolder,
  type TlsFolder,
} from '../scenes/tls-scene.ts'
import { startWorkers } from '../scenes/workers-scene.ts'
import { makeAuthority, makeSelfSigned } from '../support/certificates.ts'
import { type Environment, serverEnvironment, spawnLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const NOWHERE = 'postgres://nobody:x@127.0.0.1:9/none'

function tlsEnvironment({ files }: TlsFolder): Environment {
  return {
    LINEAGE_TLS_CERT_FILE: files.certFile,
    LINEAGE_TLS_KEY_FILE: files.keyFile,
    LINEAGE_TLS_CLIENT_CA_FILE: files.clientCaFile,
  }
}

async function problemsOf(t: Test, env: Environment): Promise<readonly string[]> {
  const service = await spawnLineage(t, { ...serverEnvironment(NOWHERE), ...env })
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.equal(service.stderr[0], 'lineage: The configuration is not valid:')
  t.strictSame(service.stdout, [])
  return service.stderr.slice(1).map((line) => line.trim())
}

test('files that are missing, broken or of two pairs stop the start with one message', async (t) => {
  const folder = makeTlsFolder(t, [makeAuthority()])
  const env = tlsEnvironment(folder)
  t.strictSame(await problemsOf(t, { LINEAGE_TLS_CERT_FILE: folder.files.certFile }), [
    'LINEAGE_TLS_KEY_FILE is missing.',
  ])
  const missing = `${folder.files.keyFile}.gone`
  const gone = { ...env, LINEAGE_TLS_KEY_FILE: missing, LINEAGE_ISSUER: 'http://localhost' }
  t.strictSame(await problemsOf(t, gone), [
    'LINEAGE_TLS_CERT_FILE is set: the issuer must then begin with https.',
    'LINEAGE_TLS_KEY_FILE names a file that cannot be read.',
  ])
  folder.serve({ cert: makeServerCertificate().cert, key: makeServerCertificate().key })
  writeFileSync(folder.files.clientCaFile ?? '', 'no certificate')
  t.strictSame(await problemsOf(t, env), [
    'LINEAGE_TLS_CLIENT_CA_FILE names a file without certificates in PEM.',
    'LINEAGE_TLS_KEY_FILE is not the key of the first certificate of LINEAGE_TLS_CERT_FILE.',
  ])
  folder.serve({ cert: '', key: '' })
  folder.trust(makeAuthority())
  t.strictSame(await problemsOf(t, env), [
    'LINEAGE_TLS_CERT_FILE names a file without certificates in PEM.',
    'LINEAGE_TLS_KEY_FILE names a file without a private key in PEM, not encrypted.',
  ])
})

test('both ports speak TLS', async (t) => {
  const opsPort = await findFreePort()
  const env = {
    ...serverEnvironment((await openTestDatabase(t)).url),
    ...tlsEnvironment(makeTlsFolder(t)),
  }
  const service = await spawnLineage(
    t,
    { ...env, LINEAGE_OPS_PORT: String(opsPort) },
    { send: callerWith() },
  )
  await service.logged('service.started')
  t.equal((await callerWith()(`https://127.0.0.1:${opsPort}/readyz`)).status, 200)
  t.equal((await service.fetch('/.well-known/jwks.json')).status, 200)
  await t.rejects(fetch(`http://127.0.0.1:${opsPort}/livez`))
})

test('workers end TLS by themselves, take new files, and end in order', async (t) => {
  const folder = makeTlsFolder(t, [makeAuthority()])
  const env = { ...serverEnvironment((await openTestDatabase(t)).url), ...tlsEnvironment(folder) }
  const { service } = await startWorkers(t, env, 2, {
    send: callerWith(makeSelfSigned({ subject: [['CN', 'stranger']] })),
  })
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => (await service.fetch('/livez')).status),
  )
  t.strictSame(new Set(statuses), new Set([200]))
  await until('both workers', () => {
    const lines = service.log('request.completed')
    return new Set(lines.map(({ worker }) => worker)).size === 2
  })
  folder.serve(makeServerCertificate())
  await until('the new files', () => service.log('tls.reloaded').length === 2)
  t.equal((await service.fetch('/livez')).status, 200)
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
})

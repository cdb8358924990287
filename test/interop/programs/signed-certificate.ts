// A certificate that an authority has signed: Erlang trusts none that is signed by itself, not even
// one that it is told to trust.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

export interface SignedCertificate {
  readonly key: string
  readonly cert: string
  /** PEM of who signed it. */
  readonly authority: string
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** For a host name, by an authority of its own. */
export function makeSignedCertificate(t: Test, name = 'localhost'): SignedCertificate {
  const dir = t.testdir({})
  const path = (file: string) => join(dir, file)
  const request = (...args: string[]) => {
    const all = ['req', '-x509', ...NEW_KEY, '-days', '2', ...args]
    const { status, stderr, error } = spawnSync('openssl', all, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`openssl, which this test needs: ${stderr || error?.message}`)
  }
  const [caKey, ca, key, cert] = ['ca-key.pem', 'ca.pem', 'key.pem', 'cert.pem'].map(path)
  if (!caKey || !ca || !key || !cert) throw new Error('unreachable')
  request('-subj', '/CN=authority', '-keyout', caKey, '-out', ca)
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE']
  request(...names, ...leaf, '-CA', ca, '-CAkey', caKey, '-keyout', key, '-out', cert)
  const read = (file: string) => readFileSync(file, 'utf8')
  return { key: read(key), cert: read(cert), authority: read(ca) }
}

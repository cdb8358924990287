// A service that ends TLS itself, with its files in a folder of the test, and callers with
// certificates.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { ServiceConfig } from '../../src/config/service-config.ts'
import { type Send, type StartAppOptions, startApp, type TestApp } from '../support/app.ts'
import { type Authority, type Certified, makeAuthority } from '../support/certificates.ts'
import { tlsFetch } from '../support/tls-fetch.ts'

/** Who signs the service's certificate. */
export const SERVER_CA = makeAuthority('Server CA')

export interface TlsFolder {
  readonly files: NonNullable<ServiceConfig['tls']>
  /** Replaces certificate and key. */
  serve(server: Pick<Certified, 'cert' | 'key'>): void
  /** Replaces the CAs of clients. */
  trust(...authorities: Pick<Authority, 'cert'>[]): void
}

export function makeServerCertificate(): Certified {
  const names = { dns: ['localhost'], ip: [[127, 0, 0, 1]] }
  return SERVER_CA.issue({ subject: [['CN', 'localhost']], names, isForServers: true })
}

/** Without authorities there is no file of them. */
export function makeTlsFolder(t: Test, authorities: readonly Authority[] = []): TlsFolder {
  const dir = join(t.testdir({}), 'tls')
  mkdirSync(dir)
  const files = {
    certFile: join(dir, 'tls.crt'),
    keyFile: join(dir, 'tls.key'),
    clientCaFile: authorities.length > 0 ? join(dir, 'ca.crt') : undefined,
  }
  const folder: TlsFolder = {
    files,
    serve({ cert, key }) {
      writeFileSync(files.certFile, cert)
      writeFileSync(files.keyFile, key)
    },
    trust(...trusted) {
      if (files.clientCaFile === undefined) throw new Error('the scene has no such file')
      writeFileSync(files.clientCaFile, trusted.map(({ cert }) => cert).join(''))
    },
  }
  folder.serve(makeServerCertificate())
  if (authorities.length > 0) folder.trust(...authorities)
  return folder
}

/** What a caller sends with; `client` is its certificate. */
export function callerWith(client?: Pick<Certified, 'cert' | 'key'>): Send {
  return tlsFetch({ ca: SERVER_CA.cert, client })
}

/** A service on a TLS port. */
export function startTlsApp(
  t: Test,
  folder: TlsFolder,
  { config, ...options }: StartAppOptions = {},
): Promise<TestApp> {
  return startApp(t, { ...options, send: callerWith(), config: { ...config, tls: folder.files } })
}

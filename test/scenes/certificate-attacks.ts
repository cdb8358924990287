// Certificates that are nearly the right one, and what each is refused for.

import type { ClientInput } from '../../src/clients/client-draft.ts'
import {
  type AlternativeNames,
  type Authority,
  type Certified,
  makeAuthority,
  makeSelfSigned,
  type Subject,
} from '../support/certificates.ts'

const DAY_MS = 86_400_000

export const PAYMENTS: Subject = [
  ['O', 'Example'],
  ['CN', 'payments'],
]
export const PAYMENTS_DN = 'CN=payments,O=Example'

/** A client whose only proof is a certificate with that name. */
export const CERTIFICATE_CLIENT = {
  id: 'payments',
  type: 'confidential',
  grantTypes: ['client_credentials'],
  authMethods: ['tls_client_auth'],
  tlsClientAuth: { subjectDn: PAYMENTS_DN },
} as const satisfies Partial<ClientInput> & { id: string }

/** By the member of `tlsClientAuth`: what is registered, and a certificate that has it. */
export const REGISTERED = {
  subjectDn: { wanted: PAYMENTS_DN, names: {} },
  sanDns: { wanted: 'payments.example', names: { dns: ['other.example', 'Payments.Example'] } },
  sanUri: { wanted: 'spiffe://example/payments', names: { uri: ['spiffe://example/payments'] } },
  sanIp: {
    wanted: '2001:DB8:0::7',
    names: { ip: [[0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 7]] },
  },
  sanEmail: { wanted: 'Pay@Example.test', names: { email: ['Pay@example.TEST'] } },
} as const satisfies Record<string, { wanted: string; names: AlternativeNames }>

export type RegisteredName = keyof typeof REGISTERED

export function goodCertificate(ca: Authority, name: RegisteredName): Certified {
  const { names } = REGISTERED[name]
  return ca.issue({ subject: name === 'subjectDn' ? PAYMENTS : [['CN', 'x']], names })
}

export interface CertificateAttack {
  readonly what: string
  readonly name: RegisteredName
  readonly make: (ca: Authority) => Certified
  readonly reason: string
}

const subjects = (what: string, subject: Subject): CertificateAttack => ({
  what,
  name: 'subjectDn',
  make: (ca) => ca.issue({ subject }),
  reason: 'client_certificate_name_wrong',
})

const named = (
  what: string,
  name: RegisteredName,
  names: AlternativeNames,
  subject: Subject = [['CN', 'x']],
) => ({
  what,
  name,
  make: (ca: Authority) => ca.issue({ subject, names }),
  reason: 'client_certificate_name_wrong',
})

export const ATTACKS: readonly CertificateAttack[] = [
  {
    what: 'another CA',
    name: 'subjectDn',
    make: () => makeAuthority('Other CA').issue({ subject: PAYMENTS }),
    reason: 'client_certificate_untrusted',
  },
  {
    what: 'another CA of the same name',
    name: 'subjectDn',
    make: () => makeAuthority('Client CA').issue({ subject: PAYMENTS }),
    reason: 'client_certificate_untrusted',
  },
  {
    what: 'signed by itself',
    name: 'subjectDn',
    make: () => makeSelfSigned({ subject: PAYMENTS }),
    reason: 'client_certificate_untrusted',
  },
  {
    what: 'a certificate for servers',
    name: 'subjectDn',
    make: (ca) => ca.issue({ subject: PAYMENTS, isForServers: true }),
    reason: 'client_certificate_untrusted',
  },
  {
    what: 'expired yesterday',
    name: 'subjectDn',
    make: (ca) =>
      ca.issue({
        subject: PAYMENTS,
        notBefore: new Date(Date.now() - 9 * DAY_MS),
        notAfter: new Date(Date.now() - DAY_MS),
      }),
    reason: 'client_certificate_out_of_date',
  },
  {
    what: 'good from tomorrow on',
    name: 'subjectDn',
    make: (ca) =>
      ca.issue({
        subject: PAYMENTS,
        notBefore: new Date(Date.now() + DAY_MS),
        notAfter: new Date(Date.now() + 9 * DAY_MS),
      }),
    reason: 'client_certificate_out_of_date',
  },
  subjects('another common name', [
    ['O', 'Example'],
    ['CN', 'payments2'],
  ]),
  subjects('another case', [
    ['O', 'Example'],
    ['CN', 'Payments'],
  ]),
  subjects('a letter that looks the same', [
    ['O', 'Example'],
    ['CN', 'p\u0430yments'],
  ]),
  subjects('the name and a NUL', [
    ['O', 'Example'],
    ['CN', 'payments\0.evil'],
  ]),
  subjects('the attributes in another order', [
    ['CN', 'payments'],
    ['O', 'Example'],
  ]),
  subjects('one attribute more', [
    ['O', 'Example'],
    ['OU', 'evil'],
    ['CN', 'payments'],
  ]),
  subjects('one attribute less', [['CN', 'payments']]),
  subjects('all of it in one attribute', [['CN', 'payments,O=Example']]),
  subjects('all of it in one RDN', [
    [
      ['O', 'Example'],
      ['CN', 'payments'],
    ],
  ]),
  named('the DNS name in the common name alone', 'sanDns', {}, [['CN', 'payments.example']]),
  named('a wildcard over the DNS name', 'sanDns', { dns: ['*.example'] }),
  named('a longer DNS name', 'sanDns', { dns: ['payments.example.evil', 'evil.payments.example'] }),
  named('a DNS name with a NUL', 'sanDns', { dns: ['payments.example\0.evil'] }),
  named('a DNS name with a dot', 'sanDns', { dns: ['payments.example.'] }),
  named('the DNS name as a URI', 'sanDns', {
    uri: ['payments.example'],
    email: ['payments.example'],
  }),
  named('a printed list within a DNS name', 'sanDns', {
    dns: ['evil.example, DNS:payments.example'],
  }),
  named('a URI with a path more', 'sanUri', { uri: ['spiffe://example/payments/x'] }),
  named('a URI in another case', 'sanUri', { uri: ['spiffe://Example/payments'] }),
  named('another address', 'sanIp', { ip: [[0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 8]] }),
  named('the address as a DNS name', 'sanIp', { dns: ['2001:db8::7'] }),
  {
    ...named('an address with a mask', 'sanIp', { ip: [Array(32).fill(0)] }),
    reason: 'client_certificate_unreadable',
  },
  named('a mailbox in another case', 'sanEmail', { email: ['pay@example.test'] }),
  named('the mailbox in the subject alone', 'sanEmail', {}, [['emailAddress', 'Pay@Example.test']]),
  named('a mailbox behind another', 'sanEmail', { email: ['Pay@evil@Example.test'] }),
]

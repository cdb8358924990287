// Ruby: the gems oauth2 and jwt, both of Debian, as a client and as a resource server of Lineage.

import { runClientSuite } from '../integrations/client-suite.ts'
import { runVerifierSuite } from '../integrations/verifier-suite.ts'
import {
  ForeignRefusal,
  findInterpreter,
  openForeignClient,
  openForeignProgram,
  openForeignVerifier,
} from './clients/foreign-program.ts'

const ruby = findInterpreter({
  programs: ['/usr/bin/ruby', 'ruby'],
  probe: ['-e', 'require "oauth2"; require "jwt"'],
  packages: ['ruby', 'ruby-oauth2', 'ruby-jwt'],
})
const program = openForeignProgram(ruby, 'client.rb')

runClientSuite({
  name: 'oauth2 (Ruby)',
  // The gem has none of its own: two requests, and the endpoints out of the answer.
  discover: async (issuer) =>
    (await program.ask({ do: 'discover', issuer })) as Record<string, unknown>[],
  open: async (settings) => openForeignClient(program, settings),
  codeOf(error) {
    if (error instanceof ForeignRefusal && error.kind === 'OAuth2::Error') return error.code
    throw error
  },
  encodesBasic: false,
  repeatsResource: true,
  close: program.close,
})

runVerifierSuite({
  name: 'jwt (Ruby)',
  algorithms: ['ES256', 'RS256', 'PS256'],
  async open(t, settings) {
    t.teardown(program.close)
    return openForeignVerifier(program, settings)
  },
  refusalOf(error) {
    if (error instanceof ForeignRefusal) return error.message.split('. ')[0] ?? ''
    throw error
  },
  refusals: {
    expired: 'JWT::ExpiredSignature: Signature has expired',
    'for another audience': 'JWT::InvalidAudError: Invalid audience',
    'from another issuer': 'JWT::InvalidIssuerError: Invalid issuer',
    'with changed claims': 'JWT::VerificationError: Signature verification failed',
    'signed by another key': 'JWT::VerificationError: Signature verification failed',
    'of an unknown kid': 'JWT::DecodeError: Could not find public key for kid made-up',
    'without a signature': 'JWT::IncorrectAlgorithm: Expected a different algorithm',
    'with an HMAC under the public key': 'JWT::IncorrectAlgorithm: Expected a different algorithm',
    'a refresh token': 'JWT::DecodeError: Not enough or too many segments',
  },
  // With less than the pause of its loader, a new key would be met too late.
  maxAgesSeconds: [300],
})

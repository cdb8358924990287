// Python: authlib on requests, both of Debian, as a client and as a resource server of Lineage.

import { test } from 'tap'
import { runClientSuite } from '../integrations/client-suite.ts'
import { runVerifierSuite } from '../integrations/verifier-suite.ts'
import { startScene } from '../scenes/integration-scene.ts'
import {
  ForeignRefusal,
  findInterpreter,
  openForeignClient,
  openForeignProgram,
  openForeignVerifier,
} from './clients/foreign-program.ts'

const python = findInterpreter({
  // Debian's own first: another one on PATH does not see Debian's packages.
  programs: ['/usr/bin/python3', 'python3'],
  probe: ['-c', 'import authlib, requests'],
  packages: ['python3-authlib', 'python3-requests'],
})
const program = openForeignProgram(python, 'client.py')

runClientSuite({
  name: 'authlib (Python)',
  discover: async (issuer) =>
    (await program.ask({ do: 'discover', issuer })) as Record<string, unknown>[],
  open: async (settings) => openForeignClient(program, settings),
  codeOf(error) {
    if (error instanceof ForeignRefusal && error.kind === 'OAuthError') return error.code
    throw error
  },
  encodesBasic: false,
  repeatsResource: false,
  close: program.close,
})

runVerifierSuite({
  name: 'authlib (Python)',
  algorithms: ['ES256', 'EdDSA', 'RS256', 'PS256'],
  async open(t, settings) {
    t.teardown(program.close)
    return openForeignVerifier(program, settings)
  },
  refusalOf(error) {
    if (error instanceof ForeignRefusal) return error.message
    throw error
  },
  refusals: {
    expired: 'ExpiredTokenError: expired_token: The token is expired',
    'for another audience': 'InvalidClaimError: invalid_claim: Invalid claim "aud"',
    'from another issuer': 'InvalidClaimError: invalid_claim: Invalid claim "iss"',
    'with changed claims': 'BadSignatureError: bad_signature: ',
    'signed by another key': 'BadSignatureError: bad_signature: ',
    'of an unknown kid': 'ValueError: Invalid JSON Web Key Set',
    'without a signature': 'UnsupportedAlgorithmError: unsupported_algorithm: ',
    'with an HMAC under the public key': 'UnsupportedAlgorithmError: unsupported_algorithm: ',
    'a refresh token': 'DecodeError: Invalid input segments length: ',
  },
  maxAgesSeconds: [300],
})

test('authlib (Python): its checks of metadata miss a response type, nothing else', async (t) => {
  t.teardown(program.close)
  const { issuer } = await startScene(t)
  // RFC 8414 §2 asks for the member; that there is nothing in it is no fault.
  const complaints = ['"response_types_supported" is required']
  t.strictSame(await program.ask({ do: 'validateMetadata', issuer }), complaints)
})

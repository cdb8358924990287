// An assertion is read once, whoever looks at it: to see who is meant, by either method, and to check it.

import { test } from 'tap'
import { readClientAssertion } from '../../src/client-auth/client-assertion.ts'
import { readClientCredentials } from '../../src/client-auth/read-client-credentials.ts'
import { claimsOf, JWT_BEARER, newKey, signAssertion } from '../scenes/assertion-scene.ts'

/** A form, and how often its assertion was asked for. */
function formWith(parameters: Record<string, string>) {
  const asked: string[] = []
  const get = (name: string) => {
    asked.push(name)
    return parameters[name]
  }
  return { form: { get, resources: [] }, asked }
}

test('an assertion is read once in a form, and anew in another', async (t) => {
  const key = newKey('a')
  const assertion = {
    client_assertion_type: JWT_BEARER,
    client_assertion: await signAssertion(key, claimsOf('c_own', { iss: 'https://idp.test' })),
    client_id: 'machine',
  }
  const [one, other] = [formWith(assertion), formWith(assertion)]
  const { method, proof } = readClientCredentials({ headers: {}, form: one.form })
  t.equal(method.method, 'federated_jwt', 'after private_key_jwt has looked at it')
  t.equal(proof, assertion.client_assertion)
  const read = readClientAssertion(one.form)
  t.equal(readClientAssertion(one.form).jwt, read.jwt)
  const asked = one.asked.length
  readClientAssertion(one.form)
  t.equal(one.asked.length, asked, 'the form is not asked any more')
  t.not(readClientAssertion(other.form).jwt, read.jwt)
})

test('what cannot be read is refused each time', async (t) => {
  const { form } = formWith({ client_assertion_type: JWT_BEARER, client_assertion: 'a.b.c' })
  for (let i = 0; i < 2; i += 1) {
    t.throws(() => readClientAssertion(form), {
      reason: 'client_assertion_malformed',
      code: 'invalid_client',
    })
  }
})

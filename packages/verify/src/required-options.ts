// What a verifier cannot do without. A variable of the environment that is not set arrives as undefined, and
// undefined would be looked for in no token: everybody's tokens would pass.

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

export interface RequiredOptions {
  readonly issuer: string
  readonly audience: string | readonly string[]
  readonly jwksUri?: string | undefined
  readonly allowInsecureHttp?: boolean | undefined
}

/** Where the keys are. Throws TypeError for what is missing, and for keys that anybody could replace. */
export function requireOptions(options: RequiredOptions): string {
  const { issuer, audience, jwksUri, allowInsecureHttp = false } = options
  if (!isName(issuer)) throw new TypeError('issuer: the issuer of the tokens has to be named')
  const names: readonly unknown[] = Array.isArray(audience) ? audience : [audience]
  if (names.length === 0 || !names.every(isName)) {
    throw new TypeError("audience: this API's own name in the tokens has to be given")
  }
  const uri = jwksUri ?? `${issuer}/.well-known/jwks.json`
  const name = jwksUri === undefined ? 'issuer' : 'jwksUri'
  if (!URL.canParse(uri)) throw new TypeError(`${name}: that is no URL`)
  const { protocol, hostname, origin } = new URL(uri)
  const isPlainAllowed = allowInsecureHttp || LOOPBACK.includes(hostname)
  if (protocol === 'https:' || (protocol === 'http:' && isPlainAllowed)) return uri
  throw new TypeError(`${name}: keys from ${origin} could be anybody's, because it is not https`)
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

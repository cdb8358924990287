// The second name of an issuer, where certificates are asked for (RFC 8705 §5).

/** The issuer's URL at another origin, its path kept: what the aliases of endpoints begin with. */
export function aliasOf(issuer: string, mtlsOrigin: string): string {
  return `${mtlsOrigin}${issuer.slice(new URL(issuer).origin.length)}`
}

// The second name of an issuer, where certificates are asked for (RFC 8705 §5).

export interface IssuerNames {
  readonly issuer: string
  readonly mtlsOrigin: string | undefined
}

/** The issuer's URL at another origin, its path kept: what the aliases of endpoints begin with. */
export function aliasOf(issuer: string, mtlsOrigin: string): string {
  return `${mtlsOrigin}${issuer.slice(new URL(issuer).origin.length)}`
}

/** What every endpoint may be called by: below the issuer, and below its alias where there is one. */
export function namesOf({ issuer, mtlsOrigin }: IssuerNames): readonly string[] {
  return mtlsOrigin === undefined ? [issuer] : [issuer, aliasOf(issuer, mtlsOrigin)]
}

// Which algorithm a token is signed with: what its readers ask for (docs/semantics.md §1).

/** By audience, as configured. */
export type AudienceAlgs = ReadonlyMap<string, string>

/**
 * Null for the default. The audience goes before the client, because it is the audience that has to
 * read the token. Of several audiences the first that asks for one decides.
 */
export function chooseAlg(
  audience: string | readonly string[],
  clientAlg: string | null,
  audienceAlgs: AudienceAlgs,
): string | null {
  if (audienceAlgs.size === 0) return clientAlg
  if (typeof audience === 'string') return audienceAlgs.get(audience) ?? clientAlg
  for (const one of audience) {
    const alg = audienceAlgs.get(one)
    if (alg !== undefined) return alg
  }
  return clientAlg
}

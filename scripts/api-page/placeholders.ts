// What the finished files leave open, as names in double braces. src/http/server/api-files.ts puts it in
// when the service starts.

export const ISSUER = '{{issuer}}'
export const ISSUER_ORIGIN = '{{issuerOrigin}}'
export const ISSUER_PATH = '{{issuerPath}}'
/** The origin of `LINEAGE_OPS_PORT`. */
export const OPS_ORIGIN = '{{opsOrigin}}'
/** A quotation mark of the shell where the issuer needs one, else nothing. */
export const QUOTE = '{{quote}}'

const ANY = /\{\{\w*\}\}/g

export function withoutPlaceholders(text: string): string {
  return text.replace(ANY, '')
}

/** Whether what stands there in the end may need quotes in a shell: only a host may. */
export function mayNeedQuotes(url: string): boolean {
  return url.includes(ISSUER) || url.includes(ISSUER_ORIGIN)
}

/** The same URL, for a place between quotation marks of a shell. */
export function withinQuotes(url: string): string {
  return url
    .replaceAll(ISSUER, '{{issuerWithinQuotes}}')
    .replaceAll(ISSUER_ORIGIN, '{{issuerOriginWithinQuotes}}')
}

// How numbers read in `lineage top`: short, with their unit, `-` for what is not known.

const NOTHING = '-'

/** `0`, `0.25`, `12.5`, `340`, `12.1k`. */
export function formatNumber(value: number | null): string {
  if (value === null) return NOTHING
  if (value === 0) return '0'
  if (value < 0.01) return '<0.01'
  if (value < 10) return trim(value.toFixed(2))
  if (value < 100) return trim(value.toFixed(1))
  if (value < 10_000) return value.toFixed(0)
  return value < 1_000_000
    ? `${trim((value / 1_000).toFixed(1))}k`
    : `${trim((value / 1e6).toFixed(1))}M`
}

export function formatRate(perSecond: number | null): string {
  return perSecond === null || perSecond === 0
    ? formatNumber(perSecond)
    : `${formatNumber(perSecond)}/s`
}

/** `0.4 ms`, `12 ms`, `1.5 s`, `3 m`, `5 h`, `12 d`. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null) return NOTHING
  if (seconds < 0.01) return `${trim((seconds * 1_000).toFixed(1))} ms`
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`
  if (seconds < 10) return `${trim(seconds.toFixed(1))} s`
  if (seconds < 120) return `${Math.floor(seconds)} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} m`
  return seconds < 172_800
    ? `${Math.floor(seconds / 3_600)} h`
    : `${Math.floor(seconds / 86_400)} d`
}

export function formatShare(share: number | null): string {
  if (share === null) return NOTHING
  if (share > 0 && share < 0.0001) return '<0.01 %'
  return `${trim((share * 100).toFixed(2))} %`
}

export function formatBytes(bytes: number | null): string {
  if (bytes === null) return NOTHING
  const mebibytes = bytes / 1_048_576
  return mebibytes < 10_240
    ? `${Math.round(mebibytes)} MiB`
    : `${(mebibytes / 1_024).toFixed(1)} GiB`
}

/** Without zeros that say nothing. */
function trim(text: string): string {
  return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text
}

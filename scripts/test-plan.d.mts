/** In which order the files of a run are started. */
export function planFiles(files: readonly string[]): { queue: string[]; idle: string[] }
export const PLANNED: readonly string[]

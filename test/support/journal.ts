// The journal as tests of a store need it: none at all, or read in one piece.

import type { Journal, JournalEntry } from '../../src/families/journal.ts'

export const NO_JOURNAL: Pick<Journal, 'readSince'> = { async *readSince() {} }

export async function readAll(
  journal: Pick<Journal, 'readSince'>,
  sinceMs: number,
): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = []
  for await (const page of journal.readSince(sinceMs)) entries.push(...page)
  return entries
}

// The sections that ask for each row, of those whose number was confirmed against the text itself.

/** By row; a row that is absent has no confirmed section, or is a promise of our own. */
export const CONFIRMED_SECTIONS: Readonly<Record<string, readonly string[]>> = {}

// The variables of the process, as its entry file hands them in: nobody else looks at them.

export type Environment = Readonly<Record<string, string | undefined>>

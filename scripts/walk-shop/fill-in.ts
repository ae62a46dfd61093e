/** Puts what earlier answers said into the texts of a step. */

export type Facts = ReadonlyMap<string, string>

/** An earlier step that should have kept this failed, or the route it asked is missing. */
export class UnknownFactError extends Error {
  override readonly name = 'UnknownFactError'
  readonly fact: string

  constructor(fact: string) {
    super(`'${fact}' is not known: the call that tells it did not succeed`)
    this.fact = fact
  }
}

/**
 * The same value with every `{name}` in its texts replaced, at any depth.
 *
 * @throws {UnknownFactError} the step cannot be taken
 */
export const fillIn = <T>(value: T, facts: Facts): T => filled(value, facts) as T

/** The names in it. */
export const namesIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [...value.matchAll(name)].map((match) => match[1]!)
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return []
  return Object.values(value).flatMap(namesIn)
}

const name = /\{([a-zA-Z]+)\}/g

const filled = (value: unknown, facts: Facts): unknown => {
  if (typeof value === 'string') {
    return value.replace(name, (_text, fact: string) => {
      const known = facts.get(fact)
      if (known === undefined) throw new UnknownFactError(fact)
      return known
    })
  }
  if (Array.isArray(value)) return value.map((item) => filled(item, facts))
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, filled(part, facts)]))
}

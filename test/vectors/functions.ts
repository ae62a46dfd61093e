/** The functions the recording names: see "Functions" in its README. */

type Text = string | undefined

/** Joins two sides; a missing one prints `null`. */
export const joinText = (left: Text, right: Text): string => `${left ?? null}+${right ?? null}`

/** Text before the first `:`. */
export const fk = (value: Text): Text => {
  const at = value?.indexOf(':') ?? -1
  return at < 0 ? undefined : value!.slice(0, at)
}

/** The integer after the first `:`, or all of it. */
export const num = (value: string): number => {
  const at = value.indexOf(':')
  return Number.parseInt(at < 0 ? value : value.slice(at + 1), 10)
}

const modulus = 9973

const hashBy =
  (factor: number) =>
  (aggregate: string, value: Text): string =>
    `${(factor * Number(aggregate) + (value === undefined ? 7 : num(value))) % modulus}`

export const h31 = hashBy(31)
export const h37 = hashBy(37)

/** Merges two sessions. */
export const mergeSessions = (a: string, b: string): string =>
  `${(17 * Number(a) + Number(b)) % modulus}`

/** Items of a list `x:3,z:7`; none of an empty one. */
export const itemsOf = (value: Text): readonly string[] =>
  value === undefined || value === '' ? [] : value.split(',')

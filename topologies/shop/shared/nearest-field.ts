/** The field a misspelt one was probably meant to be, for messages about unknown fields. */

/** @returns  the nearest of `known` (at least one), whatever its distance */
export const nearestField = (field: string, known: readonly string[]): string => {
  const distances = known.map((each) => distanceOf(field.toLowerCase(), each.toLowerCase()))
  return known[distances.indexOf(Math.min(...distances))]!
}

/** Longer names are cut: what they mean is no guess of ours. */
const comparedMax = 64

/** Insertions, deletions and replacements from `a` to `b`. */
const distanceOf = (a: string, b: string): number => {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (const [row, letter] of a.slice(0, comparedMax).split('').entries()) {
    const current = [row + 1]
    for (let column = 1; column <= b.length; column += 1) {
      const cost = letter === b[column - 1] ? 0 : 1
      current.push(
        Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + cost),
      )
    }
    previous = current
  }
  return previous[b.length]!
}

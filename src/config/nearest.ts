/**
 * The known word nearest to a mistyped one: for unknown flags, commands and configuration keys.
 *
 * Optimal string alignment distance, so that a swap of neighbours (`prot` for `port`) counts one.
 */

/** @returns  the nearest of `known`, whatever its distance; undefined if there is none at all */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  let best: string | undefined
  let bestDistance = Infinity
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours from `a` to `b`; O(|a| · |b|). */
export const editDistance = (a: string, b: string): number => {
  let older: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1
      let least = Math.min(
        previous[column]! + 1,
        current[column - 1]! + 1,
        previous[column - 1]! + cost,
      )
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, older[column - 2]! + 1)
      }
      current.push(least)
    }
    older = previous
    previous = current
  }
  return previous[b.length]!
}

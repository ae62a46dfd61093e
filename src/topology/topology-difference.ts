/** One difference between two topologies, with what it means for state that exists. */

/**
 * `safe`: it may simply be started. `losesState`: rows or records are left behind for good, so
 * somebody has to say so. `forbidden`: it would compute with state that means something else.
 */
export type Consequence = 'safe' | 'losesState' | 'forbidden'

export type ChangedThing = 'store' | 'node' | 'source' | 'sink' | 'repartition topic' | 'topic'

export interface TopologyDifference {
  readonly what: ChangedThing
  readonly name: string
  /** Empty: it was not there. */
  readonly was: string
  /** Empty: it is no more. */
  readonly is: string
  readonly consequence: Consequence
  /** What happens, in a few words. */
  readonly effect: string
  /** What to do about it; empty if nothing. */
  readonly advice: string
}

/** One line for people: `store sum was made as "…" and is now "…": effect; advice`. */
export const differenceText = (difference: TopologyDifference): string => {
  const { what, name, effect, advice } = difference
  const change = `${what} ${name} ${changeText(difference)}`
  return advice === '' ? `${change}: ${effect}` : `${change}: ${effect}; ${advice}`
}

const changeText = ({ what, was, is }: TopologyDifference): string => {
  if (was === '') return `is new (${is})`
  if (is === '') return `is gone (it was ${was})`
  if (what === 'topic') return `had ${was} and has ${is} now`
  return `was made as "${was}" and is now "${is}"`
}

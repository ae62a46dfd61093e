import { aggregateFamilies } from './aggregate-families.ts'
import type { Family, Times } from './family.ts'
import { joinFamilies } from './join-families.ts'
import { processFamilies } from './process-families.ts'

/** Every operator that keeps state, by what it is. */
export const families = (times: Times): readonly (readonly [string, Family])[] =>
  Object.entries({ ...aggregateFamilies(times), ...joinFamilies(times), ...processFamilies() })

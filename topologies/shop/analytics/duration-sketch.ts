/**
 * How long something took, over many cases: count, sum, extremes and a histogram for quantiles.
 *
 * Kept in figure rows and merged at read. 1. Buckets grow by a factor of 2^(1/8), so a quantile is
 * at most 4.5 % off, whatever its size; count, sum, min and max are exact. 2. Merging is adding:
 * the result does not depend on how the cases were spread over tasks. 3. Values are never changed
 * in place.
 */

/** Whole ms. */
export interface DurationSketch {
  readonly count: number
  readonly sumMs: number
  readonly minMs: number
  readonly maxMs: number
  /** Bucket and how many lie in it, by bucket; empty ones are left out. */
  readonly buckets: readonly Bucket[]
}

type Bucket = readonly [index: number, count: number]

/** Per doubling. */
const bucketsPerOctave = 8

/** @param durationMs  not negative, whole */
export const sketchOf = (durationMs: number): DurationSketch => ({
  count: 1,
  sumMs: durationMs,
  minMs: durationMs,
  maxMs: durationMs,
  buckets: [[bucketOf(durationMs), 1]],
})

export const mergeSketches = (a: DurationSketch, b: DurationSketch): DurationSketch => ({
  count: a.count + b.count,
  sumMs: a.sumMs + b.sumMs,
  minMs: Math.min(a.minMs, b.minMs),
  maxMs: Math.max(a.maxMs, b.maxMs),
  buckets: mergeBuckets(a.buckets, b.buckets),
})

/**
 * The duration that a share of all cases did not exceed, at most 4.5 % off.
 *
 * @param share  0 to 1
 */
export const quantileMs = (
  { count, minMs, maxMs, buckets }: DurationSketch,
  share: number,
): number => {
  const rank = Math.max(1, Math.ceil(share * count))
  let seen = 0
  for (const [index, cases] of buckets) {
    seen += cases
    if (seen >= rank) return Math.min(maxMs, Math.max(minMs, middleMs(index)))
  }
  return maxMs
}

/** Bucket 0 is 0 ms; bucket i holds 2^((i − 1) / 8) up to 2^(i / 8), exclusive. */
const bucketOf = (durationMs: number): number =>
  durationMs < 1 ? 0 : 1 + Math.floor(bucketsPerOctave * Math.log2(durationMs))

/** Geometric, so that it is off by the same factor both ways. */
const middleMs = (index: number): number =>
  index === 0 ? 0 : Math.round(2 ** ((index - 0.5) / bucketsPerOctave))

const mergeBuckets = (a: readonly Bucket[], b: readonly Bucket[]): readonly Bucket[] => {
  const merged: Bucket[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]]
    const index = Math.min(left?.[0] ?? Infinity, right?.[0] ?? Infinity)
    const count = (left?.[0] === index ? left[1] : 0) + (right?.[0] === index ? right[1] : 0)
    if (left?.[0] === index) i += 1
    if (right?.[0] === index) j += 1
    merged.push([index, count])
  }
  return merged
}

/**
 * Whether a figure of a soak stays where it is: medians of the first and last quarter, and slope.
 *
 * 1. Bounded means: the last quarter's median is at most a tenth and `slack` above the first's.
 * Growth by work done shows there after half an hour at any rate worth the name; what rises and
 * falls, as a heap between collections or files between compactions, does not. 2. Too few samples
 * are no verdict but an error.
 */

export interface Series {
  readonly name: string
  /** In the unit of the figure: what it may rise by for reasons that come and go. */
  readonly slack: number
  /** In order of time, evenly apart, without the warm-up. */
  readonly values: readonly number[]
}

export interface Trend {
  readonly name: string
  readonly first: number
  readonly last: number
  /** Of the straight line with the least squares. */
  readonly perHour: number
  readonly isBounded: boolean
}

const samplesMin = 4
const growthMax = 1.1

/** @throws {RangeError} fewer than four samples */
export const trendOf = ({ name, slack, values }: Series, sampleSeconds: number): Trend => {
  if (values.length < samplesMin) {
    throw new RangeError(`${name}: ${values.length} samples are too few: let it run for longer`)
  }
  const quarter = Math.floor(values.length / 4)
  const first = median(values.slice(0, quarter))
  const last = median(values.slice(-quarter))
  return {
    name,
    first,
    last,
    perHour: (slopeOf(values) / sampleSeconds) * 3_600,
    isBounded: last <= first * growthMax + slack,
  }
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Per sample. */
const slopeOf = (values: readonly number[]): number => {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let [covariance, variance] = [0, 0]
  for (const [i, value] of values.entries()) {
    covariance += (i - middle) * (value - mean)
    variance += (i - middle) ** 2
  }
  return covariance / variance
}

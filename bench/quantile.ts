/** Quantiles of measured values, by the nearest rank: always a value that was seen. */

/**
 * @param share  0 to 1: 0.95 is the 95th percentile
 * @returns NaN if there are no values
 */
export const quantile = (values: Iterable<number>, share: number): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

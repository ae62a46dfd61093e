/** Durations as people write them: `500ms`, `20s`, `1.5m`, `2h`, `7d`. */

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** @returns  whole milliseconds, or undefined if the text is no duration; a unit is required */
export const parseDurationMs = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim())
  if (match === null) return undefined
  return Math.round(Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs])
}

/** The shortest exact way to write it. */
export const formatDurationMs = (durationMs: number): string => {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (durationMs !== 0 && durationMs % unitsMs[unit] === 0)
      return durationMs / unitsMs[unit] + unit
  }
  return `${durationMs}ms`
}

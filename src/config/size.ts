/** Sizes as people write them: `512KiB`, `256MiB`, `1.5GiB`, and `256MB` for millions. */

const unitsBytes = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  KB: 1e3,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
} as const

/** @returns  whole bytes, or undefined if the text is no size; a unit is required */
export const parseSizeBytes = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)(B|[KMG]iB|[KkMG]B)$/.exec(text.trim())
  if (match === null) return undefined
  return Math.round(Number(match[1]) * unitsBytes[match[2] as keyof typeof unitsBytes])
}

/** The shortest exact way to write it. */
export const formatSize = (bytes: number): string => {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    if (bytes !== 0 && bytes % unitsBytes[unit] === 0) return bytes / unitsBytes[unit] + unit
  }
  return `${bytes}B`
}

/** How people name a dead letter: `ecom.dlq-2-1704`, its topic, partition and offset. */

export interface LetterPosition {
  readonly partition: number
  readonly offset: bigint
}

export const letterId = (topic: string, { partition, offset }: LetterPosition): string =>
  `${topic}-${partition}-${offset}`

/** @returns undefined if this is no id of a letter in that topic */
export const parseLetterId = (topic: string, id: string): LetterPosition | undefined => {
  if (!id.startsWith(`${topic}-`)) return undefined
  const match = /^(\d{1,9})-(\d{1,18})$/.exec(id.slice(topic.length + 1))
  return match === null ? undefined : { partition: Number(match[1]), offset: BigInt(match[2]!) }
}

/**
 * What a read gives, or undefined while nobody answers for its partition.
 *
 * For routes that can do without the row: a command is accepted while its partition moves from one
 * replica to another, since the topology notices a duplicate itself.
 */
export const unlessMoving = async <T>(reading: Promise<T>): Promise<T | undefined> => {
  try {
    return await reading
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    if (code === 'STREAMS_PARTITION_MOVING' || code === 'STREAMS_CLOSED') return undefined
    throw error
  }
}
